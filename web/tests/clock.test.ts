import assert from "node:assert/strict";
import { test } from "node:test";
import { read, wordsKey } from "../src/clock.ts";

const HOUR = 3_600_000;
const SOON = 6 * HOUR;
const at = (now: number): ReturnType<typeof read> => read(0, 48 * HOUR, now, SOON);

test("time left is rounded down and named by its largest unit", () => {
  assert.deepEqual(at(HOUR / 60 / 2), {
    state: "ok",
    unit: "days",
    days: 1,
    hours: 23,
    minutes: 59,
    usedPercent: 0,
  });
  assert.equal(at(24 * HOUR).unit, "days");
  assert.equal(at(24 * HOUR + 1).unit, "hours");
  assert.equal(at(47 * HOUR + 1).unit, "minutes");
});

test("soon begins at its limit, overdue at the very moment", () => {
  assert.equal(at(42 * HOUR - 1).state, "ok");
  assert.equal(at(42 * HOUR).state, "soon");
  assert.equal(at(48 * HOUR - 1).state, "soon");
  assert.equal(at(48 * HOUR).state, "overdue");
});

test("an overdue clock counts up and its bar stays full", () => {
  const late = at(51.5 * HOUR);
  assert.equal(wordsKey(late), "wordsOverHours");
  assert.deepEqual([late.hours, late.minutes, late.usedPercent], [3, 30, 100]);
});

test("a clock read before its start, or without a length, does not divide by zero", () => {
  assert.equal(at(-HOUR).usedPercent, 0);
  assert.equal(read(5, 5, 5, SOON).usedPercent, 0);
  assert.equal(wordsKey(at(0)), "wordsLeftDays");
});
