/** Pictures made of whole numbers alone, so that Python makes the same (tests/unit/test_pdq_vectors.py). */
import type { Pixels } from "../src/fingerprint/pdq.ts";

const wave = (t: number, half: number): number => Math.floor((Math.abs((t % (2 * half)) - half) * 255) / half);

const LOOKS: Readonly<Record<string, (x: number, y: number, channel: number) => number>> = {
  waves: (x, y, channel) => Math.floor((wave(x + 2 * y, 37 + 9 * channel) + wave(3 * x + y, 61) + wave(x * y, 997)) / 3),
  stripes: (x) => (Math.floor(x / 8) % 2) * 255,
  checkers: (x, y) => ((Math.floor(x / 16) + Math.floor(y / 16)) % 2) * 200 + 20,
  flat: (_x, _y, channel) => 40 * channel,
};

export function made(look: string, width: number, height: number): Pixels {
  const paint = LOOKS[look]!;
  return {
    width,
    height,
    rows(first, count) {
      const rgba = new Uint8ClampedArray(count * width * 4);
      for (let at = 0; at < count * width; at += 1) {
        const x = at % width;
        const y = first + Math.floor(at / width);
        for (let channel = 0; channel < 3; channel += 1) rgba[at * 4 + channel] = paint(x, y, channel);
        rgba[at * 4 + 3] = 255;
      }
      return rgba;
    },
  };
}
