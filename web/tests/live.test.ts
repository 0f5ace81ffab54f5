import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Challenge, drawn, type Result, type Step } from "../src/live/challenge.ts";
import { find } from "../src/live/faces.ts";
import { Measuring, type Seen, turnOf } from "../src/live/measure.ts";
import { convolve, halved, type Manifest, Model } from "../src/live/net.ts";

const still: Seen = { turn: 2, side: 0.1, covered: 0 };
const folder = new URL("../node_modules/@vladmandic/face-api/model/", import.meta.url);

function model(name: string): Model {
  const list = JSON.parse(readFileSync(new URL(`${name}-weights_manifest.json`, folder), "utf8")) as Manifest;
  return new Model(list, readFileSync(new URL(`${name}.bin`, folder)));
}

/** Every tenth of a second what `seen` gives, until the challenge is over. */
function led(steps: readonly Step[], seen: (step: Step, since: number) => Seen): Result[] {
  const challenge = new Challenge(steps, () => 7);
  let step = challenge.step;
  let since = 0;
  for (let now = 0; challenge.step; now += 0.1, since += 0.1) {
    if (challenge.step !== step) [step, since] = [challenge.step, 0];
    challenge.see(seen(challenge.step, since), now);
  }
  return challenge.results;
}

test("what was done is seen", () => {
  const results = led(["straight", "turn", "hand", "light", "digits"], (step, since) => {
    if (step === "turn") return since < 1 ? { ...still, turn: 20 * since } : { turn: null, side: null, covered: 0.3 };
    if (step === "hand") return { turn: null, side: null, covered: 0.7 };
    return step === "light" ? { ...still, side: 0.6 } : still;
  });
  assert.deepEqual(results.map(({ outcome }) => outcome), ["seen", "seen", "seen", "seen", "yours"]);
});

test("what was not done is not seen, and a face that is merely gone has not turned", () => {
  const gone: Seen = { turn: null, side: null, covered: 0 };
  const results = led(["straight", "turn", "hand", "light"], (step) => (step === "turn" ? gone : still));
  assert.deepEqual(results.map(({ outcome }) => outcome), ["seen", "not_seen", "not_seen", "not_seen"]);
});

test("every order begins straight ahead and asks for everything once", () => {
  for (let seed = 0; seed < 24; seed++) {
    const steps = drawn((below) => seed % below);
    assert.equal(steps[0], "straight");
    assert.deepEqual([...steps].sort(), ["digits", "hand", "light", "straight", "turn"]);
  }
  assert.equal(new Challenge([], () => 7).digits, "7 7 7 7");
});

test("a filter moves over a picture as TensorFlow's does", () => {
  const input = { height: 3, width: 3, channels: 1, values: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]) };
  const ones = { shape: [3, 3, 1, 1], values: new Float32Array(9).fill(1) };
  const bias = { shape: [1], values: Float32Array.from([0.5]) };
  assert.deepEqual([...convolve(input, ones, bias).values], [12.5, 21.5, 16.5, 27.5, 45.5, 33.5, 24.5, 39.5, 28.5]);
  assert.deepEqual([...convolve(input, ones, bias, 1, false).values], [45.5]);
  assert.deepEqual([...halved(input).values], [5, 6, 8, 9]);
});

test("weights that do not fit their list are refused", () => {
  const list: Manifest = [{ weights: [{ name: "a", shape: [2], quantization: { scale: 1, min: 0 } }] }];
  assert.deepEqual([...new Model(list, Uint8Array.from([3, 4])).get("a").values], [3, 4]);
  assert.throws(() => new Model(list, Uint8Array.from([3, 4, 5])));
  assert.throws(() => new Model([{ weights: [{ name: "a", shape: [2] }] }], Uint8Array.from([3, 4])));
});

test("no face is seen in a plain picture, and nothing is measured there", () => {
  const pixels = { width: 120, height: 90, data: new Uint8ClampedArray(120 * 90 * 4).fill(128) };
  const face = find(pixels, model("tiny_face_detector_model"), model("face_landmark_68_tiny_model"));
  assert.equal(face, null);
  assert.deepEqual(new Measuring().see(pixels, face, true), { turn: null, side: null, covered: null });
});

test("a nose nearer to the right end of the jaw is a turn to the right", () => {
  const points = Array.from({ length: 68 }, (_, i) => [i === 16 ? 100 : i === 30 ? 70 : 0, 0] as const);
  assert.ok(turnOf(points) > 20);
});
