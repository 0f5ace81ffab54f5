import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesIn, numbered } from "../src/locations.ts";
import { percent, tooLarge } from "../src/upload.ts";
import { fill, megabytes } from "../src/words.ts";

test("a pasted block becomes one address a line, whatever ends the lines", () => {
  assert.deepEqual(addressesIn(" a.example/1\r\n\n b.example/2 \rc.example/3\n"), [
    "a.example/1",
    "b.example/2",
    "c.example/3",
  ]);
  assert.deepEqual(addressesIn(" \n "), []);
});

test("every place in the template gets the number", () => {
  assert.equal(numbered('<label for="l-__n__">주소 __n__', 12), '<label for="l-12">주소 12');
});

test("a file exactly at the limit is sent, one byte more is not", () => {
  assert.equal(tooLarge([{ size: 10 }], 10), null);
  assert.deepEqual(tooLarge([{ size: 1 }, { size: 11 }], 10), { size: 11 });
  assert.equal(tooLarge([], 10), null);
});

test("percent never passes 100 and never divides by zero", () => {
  assert.deepEqual([percent(0, 0), percent(999, 1000), percent(1000, 1000), percent(3, 2)], [0, 99, 100, 100]);
});

test("sizes are rounded up, so over the limit reads as over the limit", () => {
  assert.deepEqual(
    [1, 1.26 * 1024 ** 2, 50 * 1024 ** 2, 50 * 1024 ** 2 + 1].map(megabytes),
    ["0.1", "1.3", "50", "51"],
  );
});

test("words keep a placeholder that has no value and never run a replacement pattern", () => {
  assert.equal(fill("{a} {b} {a}", { a: "$&" }), "$& {b} $&");
  assert.equal(fill("{n} %", { n: 0 }), "0 %");
});
