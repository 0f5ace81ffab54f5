import assert from "node:assert/strict";
import { test } from "node:test";
import { lengthSent } from "../src/counted.ts";

test("characters are counted as the server counts them", () => {
  assert.equal(lengthSent(""), 0);
  assert.equal(lengthSent("한국어"), 3);
  assert.equal(lengthSent("😀"), 1);
  assert.equal(lengthSent("a\nb"), 4);
  assert.equal(lengthSent("a\r\nb"), 4);
});
