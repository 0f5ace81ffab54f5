/** Every pair of colours that meets on a page, in both schemes, against WCAG 2.2 AA. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

function colours(part: string): Map<string, string> {
  const found = part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g);
  return new Map(Array.from(found, ([, name = "", value = ""]) => [name, value]));
}

/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const grounds = ["paper", "surface", "sunken"];
const tones = ["info", "ok", "warn", "error"];
const TEXT: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [
    ["ink", ground],
    ["ink-soft", ground],
    ["primary", ground],
    ["primary-strong", ground],
  ]),
  ...tones.flatMap((tone): [string, string][] => [
    [tone, `${tone}-paper`],
    [tone, "paper"],
    [tone, "surface"],
    ["ink", `${tone}-paper`],
    ["ink-soft", `${tone}-paper`],
  ]),
  ["on-primary", "primary"],
  ["on-primary", "primary-strong"],
  ["on-exit", "exit"],
];
const SHAPES: [string, string][] = [
  ...grounds.map((ground): [string, string] => ["edge", ground]),
  ...grounds.map((ground): [string, string] => ["accent", ground]),
  ...tones.map((tone): [string, string] => ["accent", `${tone}-paper`]),
];

for (const [scheme, part] of Object.entries({ light, dark })) {
  const colour = colours(part);
  const ratio = (one: string, other: string): number => {
    const a = colour.get(one);
    const b = colour.get(other);
    assert.ok(a && b, `${scheme}: ${one} or ${other} is not defined`);
    return contrast(a, b);
  };

  test(`${scheme}: text reaches 4.5 to 1`, () => {
    for (const [one, other] of TEXT) {
      assert.ok(ratio(one, other) >= 4.5, `${one} on ${other}: ${ratio(one, other).toFixed(2)}`);
    }
  });

  test(`${scheme}: borders and focus rings reach 3 to 1`, () => {
    for (const [one, other] of SHAPES) {
      assert.ok(ratio(one, other) >= 3, `${one} on ${other}: ${ratio(one, other).toFixed(2)}`);
    }
  });
}

test("the ratio is computed as WCAG does", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});
