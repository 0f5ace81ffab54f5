/**
 * Where a face is, and 68 points of it: TinyFaceDetector and FaceLandmark68TinyNet of face-api (MIT),
 * whose weights are in the package @vladmandic/face-api. It misses faces in profile and covered ones.
 */
import { convolve, halved, leaky, type Model, type Picture, separable, sum } from "./net.ts";

/** Pixels as a canvas gives them: red, green, blue and alpha, 0..255. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** In pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

export interface Face {
  readonly box: Box;
  readonly score: number;
  /** 68, in the order of the iBUG 300-W set. */
  readonly points: readonly Point[];
}

const SIDE = 192;
const NEAR_SIDE = 128;
const LEAST_SCORE = 0.35;
const ANCHORS = [[1.603231, 2.094468], [6.041143, 7.080126], [2.882459, 3.518061], [4.266906, 5.178857], [9.041765, 10.66308]] as const;
const BOX_VALUES = 5;
const SEEN_MEAN = [117.001, 114.697, 97.404] as const;
const POINTS_SIDE = 112;
const POINTS_MEAN = [122.782, 117.001, 104.298] as const;

/** The surest face, or null. Looked for around `near` if that is given: there it fills more of what is seen. */
export function find(pixels: Pixels, seeing: Model, placing: Model, near: Box | null = null): Face | null {
  const whole = { x: 0, y: 0, width: pixels.width, height: pixels.height };
  const found = surest(pixels, near ? within(around(near), pixels) : whole, seeing, near ? NEAR_SIDE : SIDE);
  return found && { ...found, points: points(pixels, found.box, placing) };
}

/** A square about a face, twice as wide. */
function around(face: Box): Box {
  const side = 2 * Math.max(face.width, face.height);
  return { x: face.x + (face.width - side) / 2, y: face.y + (face.height - side) / 2, width: side, height: side };
}

/** The 68 points of the face in a box. */
export function points(pixels: Pixels, box: Box, model: Model): Point[] {
  const cut = within(box, pixels);
  const scale = POINTS_SIDE / Math.max(cut.width, cut.height);
  const left = (POINTS_SIDE - cut.width * scale) / 2;
  const top = (POINTS_SIDE - cut.height * scale) / 2;
  const input = sampled(pixels, cut, POINTS_SIDE, scale, left, top, POINTS_MEAN);
  let out = dense(input, model, "dense0", true);
  out = dense(out, model, "dense1");
  out = dense(out, model, "dense2");
  const told = connected(meanOf(out), model);
  return Array.from({ length: 68 }, (_, i) => [
    cut.x + (told[2 * i]! * POINTS_SIDE - left) / scale,
    cut.y + (told[2 * i + 1]! * POINTS_SIDE - top) / scale,
  ] as const);
}

function surest(pixels: Pixels, cut: Box, model: Model, side: number): { box: Box; score: number } | null {
  const scale = side / Math.max(cut.width, cut.height);
  let out = sampled(pixels, cut, side, scale, 0, 0, SEEN_MEAN);
  out = halved(leaky(convolve(out, model.get("conv0/filters"), model.get("conv0/bias"), 1, false), 0.1));
  for (const name of ["conv1", "conv2", "conv3", "conv4"]) out = halved(leaky(separable(out, model, name), 0.1));
  out = halved(leaky(separable(out, model, "conv5"), 0.1), 1);
  out = convolve(out, model.get("conv8/filters"), model.get("conv8/bias"));
  let best: { box: Box; score: number } | null = null;
  for (let cell = 0; cell < out.height * out.width; cell++) {
    for (const [number, anchor] of ANCHORS.entries()) {
      const at = cell * out.channels + number * BOX_VALUES;
      const score = sigmoid(out.values[at + 4]!);
      if (score < Math.max(LEAST_SCORE, best?.score ?? 0)) continue;
      const box = boxOf(out, cell, at, anchor, side / out.width / scale);
      best = { score, box: { ...box, x: box.x + cut.x, y: box.y + cut.y } };
    }
  }
  return best;
}

function boxOf(out: Picture, cell: number, at: number, anchor: readonly [number, number], side: number): Box {
  const x = ((cell % out.width) + sigmoid(out.values[at]!)) * side;
  const y = (Math.floor(cell / out.width) + sigmoid(out.values[at + 1]!)) * side;
  const width = Math.exp(out.values[at + 2]!) * anchor[0] * side;
  const height = Math.exp(out.values[at + 3]!) * anchor[1] * side;
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/** A part of the pixels at a scale, on black, less the mean colour, 0..1. Bilinear. */
function sampled(
  pixels: Pixels, cut: Box, side: number, scale: number, left: number, top: number,
  mean: readonly [number, number, number],
): Picture {
  const values = new Float32Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const fromY = (y + 0.5 - top) / scale - 0.5;
    for (let x = 0; x < side; x++) {
      const fromX = (x + 0.5 - left) / scale - 0.5;
      const inside = fromX > -0.5 && fromY > -0.5 && fromX < cut.width - 0.5 && fromY < cut.height - 0.5;
      for (let c = 0; c < 3; c++) {
        const value = inside ? between(pixels, cut.x + fromX, cut.y + fromY, c) : 0;
        values[(y * side + x) * 3 + c] = (value - mean[c]!) / 255;
      }
    }
  }
  return { height: side, width: side, channels: 3, values };
}

function between(pixels: Pixels, x: number, y: number, channel: number): number {
  const left = clamp(Math.floor(x), pixels.width - 1);
  const top = clamp(Math.floor(y), pixels.height - 1);
  const right = Math.min(left + 1, pixels.width - 1);
  const below = Math.min(top + 1, pixels.height - 1);
  const across = Math.min(1, Math.max(0, x - left));
  const down = Math.min(1, Math.max(0, y - top));
  const at = (px: number, py: number): number => pixels.data[(py * pixels.width + px) * 4 + channel]!;
  const upper = at(left, top) * (1 - across) + at(right, top) * across;
  const lower = at(left, below) * (1 - across) + at(right, below) * across;
  return upper * (1 - down) + lower * down;
}

function dense(input: Picture, model: Model, name: string, first = false): Picture {
  const one = first
    ? convolve(input, model.get(`${name}/conv0/filters`), model.get(`${name}/conv0/bias`), 2)
    : separable(input, model, `${name}/conv0`, 2);
  leaky(one, 0);
  const two = separable(one, model, `${name}/conv1`);
  const three = separable(leaky(sum(one, two), 0), model, `${name}/conv2`);
  return leaky(sum(one, two, three), 0);
}

function meanOf(input: Picture): Float32Array {
  const mean = new Float32Array(input.channels);
  const count = input.height * input.width;
  for (let i = 0; i < input.values.length; i++) mean[i % input.channels]! += input.values[i]! / count;
  return mean;
}

function connected(input: Float32Array, model: Model): Float32Array {
  const weights = model.get("fc/weights");
  const out = model.get("fc/bias").values.slice();
  for (let i = 0; i < input.length; i++) {
    for (let o = 0; o < out.length; o++) out[o]! += input[i]! * weights.values[i * out.length + o]!;
  }
  return out;
}

function within(box: Box, pixels: Pixels): Box {
  const x = clamp(box.x, pixels.width - 2);
  const y = clamp(box.y, pixels.height - 2);
  const right = Math.min(pixels.width, Math.max(x + 2, box.x + box.width));
  const below = Math.min(pixels.height, Math.max(y + 2, box.y + box.height));
  return { x, y, width: right - x, height: below - y };
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
