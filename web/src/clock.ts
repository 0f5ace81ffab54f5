/**
 * Time left on a legal clock, kept current while the page is open.
 *
 * The server writes the words and the first reading; this only repeats it. Time is counted from
 * the server's own clock (`data-now`), so a wrong clock on the desk computer changes nothing.
 */
import { fill } from "./words.ts";

export type State = "ok" | "soon" | "overdue";

export type Reading = {
  state: State;
  /** Which pattern fits: the largest unit that is not zero. */
  unit: "days" | "hours" | "minutes";
  /** Whole days, hours below a day, minutes below an hour; of the time left or the time over. */
  days: number;
  hours: number;
  minutes: number;
  /** Part of the time that is used up, 0..100. */
  usedPercent: number;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Read a clock. All times in milliseconds since 1970; `soonMs` is when "soon" begins.
 *
 * Time left is rounded down: a reviewer never sees more time than there is.
 */
export function read(startMs: number, dueMs: number, nowMs: number, soonMs: number): Reading {
  const left = dueMs - nowMs;
  const span = Math.abs(left);
  const whole = Math.max(1, dueMs - startMs);
  return {
    state: left <= 0 ? "overdue" : left <= soonMs ? "soon" : "ok",
    unit: span >= DAY ? "days" : span >= HOUR ? "hours" : "minutes",
    days: Math.floor(span / DAY),
    hours: Math.floor((span % DAY) / HOUR),
    minutes: Math.floor((span % HOUR) / MINUTE),
    usedPercent: Math.round(Math.min(1, Math.max(0, (nowMs - startMs) / whole)) * 100),
  };
}

/** The data attribute, as `dataset` names it, that holds the words for a reading. */
export function wordsKey(reading: Reading): string {
  const unit = reading.unit.charAt(0).toUpperCase() + reading.unit.slice(1);
  return `words${reading.state === "overdue" ? "Over" : "Left"}${unit}`;
}

function show(clock: HTMLElement, words: DOMStringMap, nowMs: number): void {
  const due = Date.parse(clock.dataset["due"] ?? "");
  if (Number.isNaN(due) || clock.dataset["state"] === "stopped") return;
  const started = Date.parse(clock.dataset["start"] ?? "");
  const soon = Number(clock.dataset["soonSeconds"] ?? "21600") * 1000;
  const reading = read(Number.isNaN(started) ? due : started, due, nowMs, soon);
  clock.dataset["state"] = reading.state;
  const { days, hours, minutes } = reading;
  const pattern = words[wordsKey(reading)];
  const text = clock.querySelector<HTMLElement>("[data-clock-text]");
  if (text && pattern) text.textContent = fill(pattern, { days, hours, minutes });
  const bar = clock.querySelector("progress");
  if (bar) bar.value = reading.usedPercent;
}

/** Words and the server's time stand once on an element around the clocks, marked `data-clocks`. */
export function startClocks(root: ParentNode): void {
  const openedMs = performance.now();
  for (const group of root.querySelectorAll<HTMLElement>("[data-clocks]")) {
    const servedMs = Date.parse(group.dataset["now"] ?? "");
    const baseMs = Number.isNaN(servedMs) ? Date.now() : servedMs;
    const tick = (): void => {
      const nowMs = baseMs + performance.now() - openedMs;
      for (const clock of group.querySelectorAll<HTMLElement>("[data-due]")) {
        show(clock, group.dataset, nowMs);
      }
    };
    tick();
    const timer = window.setInterval(() => (group.isConnected ? tick() : stop()), 5000);
    // A list that was put in place of this one has clocks of its own.
    const stop = (): void => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
    document.addEventListener("visibilitychange", tick);
  }
}
