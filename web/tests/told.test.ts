import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_FRAMES, moments } from "../src/fingerprint/film.ts";
import { FRAME_DIGITS, packed, readBack } from "../src/fingerprint/told.ts";

test("a video is looked at as closely as three hundred frames allow", () => {
  assert.deepEqual(moments(0.35), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(moments(0), [0]);
  const step = (seconds: number): number => moments(seconds)[1]!;
  assert.deepEqual([30, 31, 75, 76, 150, 151, 300, 301, 3600].map(step), [0.1, 0.25, 0.25, 0.5, 0.5, 1, 1, 2, 16]);
  for (const seconds of [29.99, 75, 3600, 7_201.5]) {
    const all = moments(seconds);
    assert.ok(all.length <= MOST_FRAMES && all.at(-1)! < seconds);
  }
});

test("a frame is 37 bytes: milliseconds, quality, hash", () => {
  const hash = "0123456789abcdef".repeat(4);
  const frame = packed(1.25, { quality: 100, turns: [hash] });
  assert.equal(frame, `000004e264${hash}`);
  assert.equal(frame.length, FRAME_DIGITS);
});

test("what a page held before comes back, and nothing else is taken for it", () => {
  assert.deepEqual(readBack(""), []);
  assert.deepEqual(readBack("{"), []);
  assert.deepEqual(readBack('{"sha256": 1}'), []);
  assert.equal(readBack('[{"kind": "file"}]').length, 1);
});
