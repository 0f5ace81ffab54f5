/**
 * From a picture to its pixels, a few rows at a time, in a worker.
 *
 * Colours are left as they stand in the file, EXIF turns are obeyed, transparency is laid on white.
 */
import type { Pixels } from "./pdq.ts";

const PROBE_PX = 16;

/** The pixels of a decoded picture. The bitmap stays the caller's. */
export function pixelsOf(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  let pen = penOn(width, 1);
  return {
    width,
    height,
    rows(first, count) {
      if (pen.canvas.height !== count) pen = penOn(width, count);
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, width, count);
      pen.drawImage(bitmap, 0, first, width, count, 0, 0, width, count);
      return pen.getImageData(0, 0, width, count).data;
    },
  };
}

/** Decode a picture file. Rejects where the browser cannot. */
export function decoded(file: Blob): Promise<ImageBitmap> {
  return createImageBitmap(file, { colorSpaceConversion: "none" });
}

/**
 * True if what is drawn can be read back as it was drawn. Some browsers put noise into it, or white,
 * so that nobody is recognised by it; a fingerprint of that would be one of nothing.
 */
export function readsTrue(): boolean {
  const pen = penOn(PROBE_PX, PROBE_PX);
  const drawn = pen.createImageData(PROBE_PX, PROBE_PX);
  drawn.data.forEach((_, at) => (drawn.data[at] = at % 4 === 3 ? 255 : (at * 37) % 251));
  pen.putImageData(drawn, 0, 0);
  const read = pen.getImageData(0, 0, PROBE_PX, PROBE_PX).data;
  return drawn.data.every((value, at) => value === read[at]);
}

function penOn(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const pen = new OffscreenCanvas(width, height).getContext("2d", {
    alpha: false,
    willReadFrequently: true,
    colorSpace: "srgb",
  });
  if (pen === null) throw new Error("no canvas of this size");
  pen.imageSmoothingEnabled = false;
  return pen;
}
