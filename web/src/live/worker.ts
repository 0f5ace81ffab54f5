/** Finds and measures the face of each frame, beside the page. Nothing leaves it but the numbers. */
import points from "@vladmandic/face-api/model/face_landmark_68_tiny_model.bin";
import pointsList from "@vladmandic/face-api/model/face_landmark_68_tiny_model-weights_manifest.json";
import faces from "@vladmandic/face-api/model/tiny_face_detector_model.bin";
import facesList from "@vladmandic/face-api/model/tiny_face_detector_model-weights_manifest.json";
import type { Answer, Asked } from "./engine.ts";
import { type Face, find } from "./faces.ts";
import { Measuring } from "./measure.ts";
import { type Manifest, Model } from "./net.ts";

// The page's own types call this Window.
const here = self as unknown as {
  onmessage: (event: MessageEvent<Asked>) => void;
  postMessage(answer: Answer): void;
};

const seeing = new Model(facesList as unknown as Manifest, faces);
const placing = new Model(pointsList as unknown as Manifest, points);
const measuring = new Measuring();
let last: Face | null = null;

here.onmessage = ({ data: { width, height, data, keep } }) => {
  const pixels = { width, height, data: new Uint8ClampedArray(data) };
  last = (last && find(pixels, seeing, placing, last.box)) ?? find(pixels, seeing, placing);
  here.postMessage({ seen: measuring.see(pixels, last, keep), box: last && last.box });
};
