import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dihedral } from "../src/fingerprint/pdq.ts";
import { made } from "./made-pictures.ts";

interface Vector {
  readonly look: string;
  readonly width: number;
  readonly height: number;
  readonly quality: number;
  readonly turns: readonly string[];
}

const vectors = JSON.parse(readFileSync(new URL("pdq-vectors.json", import.meta.url), "utf8")) as Vector[];

/** How many of 256 bits differ. */
function apart(left: string, right: string): number {
  let bits = 0;
  for (let x = BigInt(`0x${left}`) ^ BigInt(`0x${right}`); x; x &= x - 1n) bits += 1;
  return bits;
}

for (const { look, width, height, quality, turns } of vectors) {
  test(`the server and the browser make the same of ${look} ${width} x ${height}`, () => {
    const found = dihedral(made(look, width, height));
    assert.equal(found.quality, quality);
    // At quality 0 nothing but rounding is left, and such a hash is compared with nothing.
    if (quality === 0) return;
    found.turns.forEach((turn, at) => {
      const bits = apart(turn, turns[at]!);
      assert.ok(bits === 0, `turn ${at}: ${bits} bits`);
    });
  });
}

test("there are vectors, and none of them is met by chance", () => {
  assert.ok(vectors.length >= 10);
  assert.ok(vectors.some(({ quality }) => quality === 100));
});
