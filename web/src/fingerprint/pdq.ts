/**
 * PDQ as the server makes it (src/haechi/fingerprint/pdq.py, where the why is told).
 *
 * The picture is read once, a few rows at a time: each of the 64 x 64 samples is a weighted sum of
 * luminance over a small rectangle. So a photograph of any size needs the memory of a few rows.
 */
import { exactCoefficients, EXACT_PIXELS } from "./pdq-exact.ts";

export const SIDE = 64;
export const BITS = 256;
/** Narrower pictures have no PDQ: all zeros at quality 0. */
export const MIN_SIDE_PX = 5;
/** Under it a match says little: flat pictures share their few gradients. */
export const MIN_QUALITY = 50;

const TERMS = 16;
const TURNS = 8;
const ROUNDING = 0.01;
const UNDECIDED_BITS = 4;
const STRIP_PX = 1 << 18;

/** Pixels as RGBA bytes, laid on an opaque ground. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `count` whole rows from row `first` on. */
  rows(first: number, count: number): Uint8ClampedArray;
}

/** quality: 0 (flat) to 100. turns: 64 hexadecimal digits each, in the order of pdq.TURNS. */
export interface Pdq {
  readonly quality: number;
  readonly turns: readonly string[];
}

/** The hashes of the picture in all eight turns and mirrors. */
export function dihedral(pixels: Pixels): Pdq {
  if (Math.min(pixels.width, pixels.height) < MIN_SIDE_PX) {
    return { quality: 0, turns: Array<string>(TURNS).fill("0".repeat(BITS / 4)) };
  }
  const samples = downsample(pixels);
  const quality = qualityOf(samples);
  let coefficients = dct(samples);
  const small = pixels.width * pixels.height <= EXACT_PIXELS;
  if (small && quality > 0 && undecided(coefficients)) {
    const exact = exactCoefficients(pixels, DCT);
    return { quality: qualityOf(exact.samples), turns: turned(exact.coefficients).map(bitsOf) };
  }
  return { quality, turns: turned(coefficients).map(bitsOf) };
}

/** What one of the 64 samples takes from a line: weights from pixel `first` on. */
interface Band {
  readonly first: number;
  readonly weights: Float32Array;
}

/** For each sample, what it takes from a line of `length` pixels: the box filter applied twice. */
export function tents(length: number): Band[] {
  const window = Math.floor((length + 2 * SIDE - 1) / (2 * SIDE));
  const ahead = Math.floor((window + 2) / 2);
  const start = (at: number): number => Math.max(at + ahead - window, 0);
  const end = (at: number): number => Math.min(at + ahead, length);
  const share = (at: number): number => 1 / (end(at) - start(at));
  return Array.from({ length: SIDE }, (_, row) => {
    const centre = Math.floor(((row + 0.5) * length) / SIDE);
    const first = start(start(centre));
    const steps = new Float64Array(end(end(centre) - 1) - first + 1);
    for (let inner = start(centre); inner < end(centre); inner += 1) {
      const weight = share(inner) * share(centre);
      steps[start(inner) - first]! += weight;
      steps[end(inner) - first]! -= weight;
    }
    let sum = 0;
    return { first, weights: Float32Array.from(steps.subarray(0, -1), (step) => (sum += step)) };
  });
}

/** The 64 x 64 samples (0..255) of the filtered luminance. */
export function downsample(pixels: Pixels): Float32Array {
  const { width, height } = pixels;
  const across = tents(width);
  const takers = takersOf(tents(height), height);
  const samples = new Float64Array(SIDE * SIDE);
  const luma = new Float32Array(width);
  const line = new Float64Array(SIDE);
  const strip = Math.max(1, Math.floor(STRIP_PX / width));
  for (let top = 0; top < height; top += strip) {
    const count = Math.min(strip, height - top);
    const rgba = pixels.rows(top, count);
    for (let row = 0; row < count; row += 1) {
      const taken = takers[top + row]!;
      if (taken.length === 0) continue;
      lumaOf(rgba, row * width, luma);
      narrowed(luma, across, line);
      for (const [sample, weight] of taken) {
        for (let at = 0; at < SIDE; at += 1) samples[sample * SIDE + at]! += weight * line[at]!;
      }
    }
  }
  return Float32Array.from(samples);
}

/** For each row of the picture: which samples take it, and with what weight. */
function takersOf(bands: Band[], height: number): [number, number][][] {
  const takers: [number, number][][] = Array.from({ length: height }, () => []);
  bands.forEach(({ first, weights }, sample) => {
    weights.forEach((weight, at) => takers[first + at]!.push([sample, weight]));
  });
  return takers;
}

function lumaOf(rgba: Uint8ClampedArray, from: number, luma: Float32Array): void {
  for (let at = 0, byte = from * 4; at < luma.length; at += 1, byte += 4) {
    luma[at] = rgba[byte]! * 0.299 + rgba[byte + 1]! * 0.587 + rgba[byte + 2]! * 0.114;
  }
}

function narrowed(luma: Float32Array, bands: Band[], line: Float64Array): void {
  for (let sample = 0; sample < SIDE; sample += 1) {
    const { first, weights } = bands[sample]!;
    let sum = 0;
    for (let at = 0; at < weights.length; at += 1) sum += weights[at]! * luma[first + at]!;
    line[sample] = sum;
  }
}

/** 0..100 from the gradients of the samples; each is cut to whole percents first. */
export function qualityOf(samples: Float32Array): number {
  const percent = (here: number, before: number): number =>
    Math.abs(Math.trunc(Math.fround(Math.fround(Math.fround(here - before) * 100) / 255)));
  let sum = 0;
  for (let row = 0; row < SIDE; row += 1) {
    for (let at = 0; at < SIDE; at += 1) {
      const here = samples[row * SIDE + at]!;
      if (row > 0) sum += percent(here, samples[(row - 1) * SIDE + at]!);
      if (at > 0) sum += percent(here, samples[row * SIDE + at - 1]!);
    }
  }
  return Math.min(100, Math.floor(sum / 90));
}

/** (16, 64): frequencies 1..16 of a DCT-II over 64 samples. */
export const DCT = Float32Array.from({ length: TERMS * SIDE }, (_, at) => {
  const frequency = Math.floor(at / SIDE) + 1;
  const place = 2 * (at % SIDE) + 1;
  return Math.fround(Math.sqrt(2 / SIDE)) * Math.cos((Math.PI / 2 / SIDE) * frequency * place);
});

/** (16, 16) coefficients: vertical frequency by row, horizontal by column. */
function dct(samples: Float32Array): Float32Array {
  const half = new Float64Array(TERMS * SIDE);
  const whole = new Float32Array(BITS);
  for (let row = 0; row < TERMS; row += 1) {
    for (let at = 0; at < SIDE; at += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += DCT[row * SIDE + k]! * samples[k * SIDE + at]!;
      half[row * SIDE + at] = sum;
    }
    for (let at = 0; at < TERMS; at += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += half[row * SIDE + k]! * DCT[at * SIDE + k]!;
      whole[row * TERMS + at] = sum;
    }
  }
  return whole;
}

/** The coefficients of the picture in each of pdq.TURNS: transposed, with signs changed. */
function turned(coefficients: Float32Array): Float32Array[] {
  const odd = (at: number): number => (at % 2 ? 1 : -1);
  const make = (crossed: boolean, sign: (row: number, column: number) => number): Float32Array =>
    Float32Array.from({ length: BITS }, (_, at) => {
      const row = Math.floor(at / TERMS);
      const column = at % TERMS;
      const from = crossed ? column * TERMS + row : at;
      return coefficients[from]! * sign(row, column);
    });
  return [
    make(false, () => 1),
    make(true, (row) => odd(row)),
    make(false, (row, column) => odd(row) * odd(column)),
    make(true, (_row, column) => odd(column)),
    make(false, (row) => odd(row)),
    make(false, (_row, column) => odd(column)),
    make(true, () => 1),
    make(true, (row, column) => odd(row) * odd(column)),
  ];
}

/** 64 hexadecimal digits: bit 255 first, set where a value exceeds the lower median. */
function bitsOf(block: Float32Array): string {
  const median = medianOf(block);
  let hex = "";
  for (let at = BITS - 4; at >= 0; at -= 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit += 1) if (block[at + bit]! > median) digit |= 1 << bit;
    hex += digit.toString(16);
  }
  return hex;
}

function medianOf(block: Float32Array): number {
  return Float32Array.from(block).sort()[BITS / 2 - 1]!;
}

/** True if in any turn several lie so near the median that rounding decides their bits. */
function undecided(coefficients: Float32Array): boolean {
  return turned(coefficients).some((block) => {
    const median = medianOf(block);
    return block.filter((value) => Math.abs(value - median) < ROUNDING).length >= UNDECIDED_BITS;
  });
}
