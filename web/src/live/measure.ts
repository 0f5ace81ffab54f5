/** What is measured of a face in one frame: where it looks, which side is lit, how much is covered. */
import type { Face, Pixels, Point } from "./faces.ts";

export interface Seen {
  /** Degrees, positive towards the right of the picture; coarse. Null without a face. */
  readonly turn: number | null;
  /** How much brighter the right half is, in doublings. */
  readonly side: number | null;
  /** Part of the places with contrast that look otherwise than they did, 0..1; null before there was a look. */
  readonly covered: number | null;
}

/** From the frame to a small upright face: x' = a x - b y + c, y' = b x + a y + d. */
interface Place {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

const SIDE = 48;
const CELL = 8;
const SHIFT = 2;
const TELLING_LEVELS = 7;
const LEAST_CELLS = 4;
const FLATTER = 0.4;
const SAME = 0.35;
const DEGREES_A_PART = 110;
const MOST_DEGREES = 80;
const CELLS = [4, 12, 20, 28, 36].flatMap((top) => [4, 12, 20, 28, 36].map((left) => [top, left] as const));
const EYES: readonly [Point, Point] = [[15, 17], [33, 17]];

/** Remembers how a face looks when nothing covers it. */
export class Measuring {
  #small: Float32Array | null = null;
  #telling = 0;
  #place: Place | null = null;

  /** Measures a frame; `keep` remembers how the face looks now. */
  see(pixels: Pixels, face: Face | null, keep: boolean): Seen {
    const place = face ? placeOf(face.points) : this.#place;
    if (keep && face && place) this.#keep(patch(pixels, place));
    const covered = this.#small && place ? coveredPart(this.#small, patch(pixels, place)) : null;
    if (this.#small) this.#place = place;
    return { turn: face && turnOf(face.points), side: face && sideOf(pixels, face.points), covered };
  }

  /** Of several looks the one with the most contrast: a hand takes contrast away. */
  #keep(small: Float32Array): void {
    const telling = CELLS.filter(([top, left]) => centred(small, top, left).deviation >= TELLING_LEVELS).length;
    if (telling < this.#telling) return;
    this.#telling = telling;
    this.#small = small;
  }
}

/** From how far the tip of the nose is from either end of the jaw. */
export function turnOf(points: readonly Point[]): number {
  const nose = points[30]!;
  const left = distance(nose, points[0]!);
  const right = distance(nose, points[16]!);
  const degrees = (DEGREES_A_PART * (left - right)) / (left + right);
  return Math.max(-MOST_DEGREES, Math.min(MOST_DEGREES, degrees));
}

function sideOf(pixels: Pixels, points: readonly Point[]): number {
  // Cheeks and brow: from the jaw's ends to the nose, from the eyes to the mouth.
  const top = Math.min(points[36]![1], points[45]![1]);
  const bottom = Math.max(points[48]![1], points[54]![1]);
  const middle = points[30]![0];
  const left = brightness(pixels, points[1]![0], middle, top, bottom);
  const right = brightness(pixels, middle, points[15]![0], top, bottom);
  return Math.log2((right + 4) / (left + 4));
}

function brightness(pixels: Pixels, left: number, right: number, top: number, bottom: number): number {
  let sum = 0;
  let count = 0;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(pixels.height, bottom); y += 2) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(pixels.width, right); x += 2) {
      sum += grey(pixels, x, y);
      count++;
    }
  }
  return count ? sum / count : 0;
}

function placeOf(points: readonly Point[]): Place | null {
  const left = mean(points.slice(36, 42));
  const right = mean(points.slice(42, 48));
  const across: Point = [right[0] - left[0], right[1] - left[1]];
  const length = across[0] ** 2 + across[1] ** 2;
  if (length < 16) return null;
  const wide = EYES[1][0] - EYES[0][0];
  const a = (wide * across[0]) / length;
  const b = (-wide * across[1]) / length;
  return { a, b, c: EYES[0][0] - a * left[0] + b * left[1], d: EYES[0][1] - b * left[0] - a * left[1] };
}

function patch(pixels: Pixels, { a, b, c, d }: Place): Float32Array {
  const size = a * a + b * b;
  const values = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const fromX = (a * (x - c) + b * (y - d)) / size;
      const fromY = (a * (y - d) - b * (x - c)) / size;
      values[y * SIDE + x] = smooth(pixels, fromX, fromY);
    }
  }
  return values;
}

function smooth(pixels: Pixels, x: number, y: number): number {
  let sum = 0;
  for (const [across, down] of [[0, 0], [0.7, 0.7], [-0.7, 0.7], [0.7, -0.7], [-0.7, -0.7]] as const) {
    const column = Math.max(0, Math.min(pixels.width - 1, Math.round(x + across)));
    const row = Math.max(0, Math.min(pixels.height - 1, Math.round(y + down)));
    sum += grey(pixels, column, row);
  }
  return sum / 5;
}

/** Part of the cells with contrast whose like is nowhere near. */
function coveredPart(before: Float32Array, now: Float32Array): number {
  let asked = 0;
  let lost = 0;
  for (const [top, left] of CELLS) {
    const cell = centred(before, top, left);
    if (cell.deviation < TELLING_LEVELS) continue;
    asked++;
    if (mostAlike(cell, now, top, left) < SAME) lost++;
  }
  return asked >= LEAST_CELLS ? lost / asked : 0;
}

interface Cell {
  readonly values: Float32Array;
  readonly deviation: number;
}

function centred(from: Float32Array, top: number, left: number): Cell {
  const values = new Float32Array(CELL * CELL);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = from[(top + Math.floor(i / CELL)) * SIDE + left + (i % CELL)]!;
    sum += values[i]!;
  }
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = values[i]! - sum / values.length;
    squares += values[i]! ** 2;
  }
  return { values, deviation: Math.sqrt(squares / values.length) };
}

function mostAlike(cell: Cell, now: Float32Array, top: number, left: number): number {
  let best = 0;
  for (let down = -SHIFT; down <= SHIFT; down++) {
    for (let across = -SHIFT; across <= SHIFT; across++) {
      const other = centred(now, top + down, left + across);
      // What little is there is noise, and somewhere it fits anything.
      if (other.deviation < FLATTER * cell.deviation) continue;
      let product = 0;
      for (let i = 0; i < cell.values.length; i++) product += cell.values[i]! * other.values[i]!;
      best = Math.max(best, product / (cell.values.length * cell.deviation * other.deviation));
    }
  }
  return best;
}

function grey(pixels: Pixels, x: number, y: number): number {
  const at = (y * pixels.width + x) * 4;
  return 0.299 * pixels.data[at]! + 0.587 * pixels.data[at + 1]! + 0.114 * pixels.data[at + 2]!;
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce<Point>((one, other) => [one[0] + other[0], one[1] + other[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

const distance = (one: Point, other: Point): number => Math.hypot(one[0] - other[0], one[1] - other[1]);
