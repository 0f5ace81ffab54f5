import assert from "node:assert/strict";
import { test } from "node:test";
import { exact, given, waived } from "../src/elements.ts";
import { percent, tooLarge } from "../src/upload.ts";
import { fill, megabytes } from "../src/words.ts";

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

test("an element is given by any of its ways, each as a whole, and by none if it has none", () => {
  const facts = new Set(["declared", "standing", "code"]);
  assert.equal(given("contact|code", facts), true);
  assert.equal(given("declared standing", facts), true);
  assert.equal(given("declared signed", facts), false);
  assert.equal(given("", facts), false);
});

test("only a fact that is there makes an element unnecessary", () => {
  assert.equal(waived("minor", new Set(["minor"])), true);
  assert.equal(waived("minor", new Set(["code"])), false);
  assert.equal(waived("", new Set(["code"])), false);
});

test("a place is exact where somebody else could find it", () => {
  const lines = ["https://a.example/1", "he posted photos.example/1", "photos.example", "@name", "name#1234"];
  for (const line of [...lines, "인스타: @some.one", "-1001234567890/55", "123456789012345678"]) {
    assert.equal(exact(`우리 반 단톡방\n${line}`), true, line);
  }
  for (const line of ["", "우리 반 단톡방", "the class group chat", "chat: name", "me@example.org", "room 12"]) {
    assert.equal(exact(line), false, line);
  }
});
