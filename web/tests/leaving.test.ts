import assert from "node:assert/strict";
import { test } from "node:test";
import { asksToLeave } from "../src/quick-exit.ts";
import { codeText, fileText } from "../src/return-code.ts";

const press = { key: "Escape", isComposing: false, keyCode: 27, defaultPrevented: false };

test("one press of Escape leaves", () => {
  assert.equal(asksToLeave(press), true);
  assert.equal(asksToLeave({ ...press, key: "Enter" }), false);
});

test("Escape that ends a half-typed syllable, or was used up, stays", () => {
  assert.equal(asksToLeave({ ...press, isComposing: true }), false);
  assert.equal(asksToLeave({ ...press, keyCode: 229 }), false);
  assert.equal(asksToLeave({ ...press, defaultPrevented: true }), false);
});

test("the code is its words with one space between", () => {
  assert.equal(codeText(["\n 가격 ", "", "나침반\n"]), "가격 나침반");
});

test("the saved file holds note and code, and no empty lines without a note", () => {
  assert.equal(fileText("a b", " Keep this. "), "\uFEFFKeep this.\r\n\r\na b\r\n");
  assert.equal(fileText("a b", ""), "\uFEFFa b\r\n");
});
