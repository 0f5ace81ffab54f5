/**
 * PDQ to the last rounding, for pictures whose bits hang on it (fingerprint/pdq_exact.py): stripes,
 * checkers, anything with an exact symmetry. The same float32 numbers, added in the same order.
 */
import type { Pixels } from "./pdq.ts";

/** Larger pictures are not done this way, on the server neither. */
export const EXACT_PIXELS = 4_000_000;

const SIDE = 64;
const TERMS = 16;

/** (64, 64) samples and (16, 16) coefficients; `dct` is the (16, 64) matrix. */
export function exactCoefficients(
  pixels: Pixels,
  dct: Float32Array,
): { samples: Float32Array; coefficients: Float32Array } {
  const { width, height } = pixels;
  let luma = plane(pixels);
  if (width !== SIDE || height !== SIDE) {
    for (let pass = 0; pass < 2; pass += 1) {
      luma = box(luma, height, width, width, 1);
      luma = box(luma, width, height, 1, width);
    }
  }
  const samples = new Float32Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row += 1) {
    for (let at = 0; at < SIDE; at += 1) {
      samples[row * SIDE + at] = luma[centre(row, height) * width + centre(at, width)]!;
    }
  }
  const half = product(dct, samples, TERMS, SIDE, (k, at) => k * SIDE + at);
  return { samples, coefficients: product(half, dct, TERMS, TERMS, (k, at) => at * SIDE + k) };
}

function plane({ width, height, rows }: Pixels): Float32Array {
  const luma = new Float32Array(width * height);
  const rgba = rows(0, height);
  for (let at = 0, byte = 0; at < luma.length; at += 1, byte += 4) {
    luma[at] = rgba[byte]! * 0.299 + rgba[byte + 1]! * 0.587 + rgba[byte + 2]! * 0.114;
  }
  return luma;
}

function centre(part: number, length: number): number {
  return Math.floor(((part + 0.5) * length) / SIDE);
}

/** Moving average along `count` lines of `length` numbers; the new value is added, then the old taken. */
function box(from: Float32Array, count: number, length: number, next: number, step: number): Float32Array {
  const window = Math.floor((length + 2 * SIDE - 1) / (2 * SIDE));
  const ahead = Math.floor((window + 2) / 2);
  const out = new Float32Array(from.length);
  for (let line = 0; line < count; line += 1) {
    const start = line * next;
    let total = 0;
    for (let at = 0; at < ahead - 1; at += 1) total = Math.fround(total + from[start + at * step]!);
    for (let at = 0; at < length; at += 1) {
      const newest = at + ahead - 1;
      const oldest = newest - window;
      if (newest < length) total = Math.fround(total + from[start + newest * step]!);
      if (oldest >= 0) total = Math.fround(total - from[start + oldest * step]!);
      out[start + at * step] = total / (Math.min(newest, length - 1) - Math.max(oldest, -1));
    }
  }
  return out;
}

/** Matrix product whose sums run over k in order, each product rounded before it is added. */
function product(
  left: Float32Array,
  right: Float32Array,
  rows: number,
  columns: number,
  place: (k: number, column: number) => number,
): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < columns; at += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) {
        sum = Math.fround(sum + Math.fround(left[row * SIDE + k]! * right[place(k, at)]!));
      }
      out[row * columns + at] = sum;
    }
  }
  return out;
}
