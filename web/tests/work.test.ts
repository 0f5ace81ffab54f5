import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256, zeroBits } from "../src/sha256.ts";
import { solve } from "../src/work.ts";

const hex = (text: string): string =>
  Array.from(sha256(text), (word) => word.toString(16).padStart(8, "0")).join("");

test("the digest is the one that everybody computes, at every length", () => {
  for (let length = 0; length < 200; length += 1) {
    const text = "abc:".repeat(50).slice(0, length);
    assert.equal(hex(text), createHash("sha256").update(text).digest("hex"), `length ${length}`);
  }
});

test("a solution begins with the zero bits that were asked for", () => {
  const number = solve("report.10.abc:def", 10);
  const digest = createHash("sha256").update(`report.10.abc:def:${number}`).digest();
  assert.equal(digest.readUInt32BE(0) >>> 22, 0);
  assert.ok(zeroBits(sha256(`report.10.abc:def:${number}`)) >= 10);
});
