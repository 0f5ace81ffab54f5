/** What is asked, in an order nobody can know before, and whether it was seen. As haechi.forensics.live. */
import type { Seen } from "./measure.ts";

export type Step = "straight" | "turn" | "hand" | "light" | "digits";
export type Outcome = "seen" | "not_seen" | "yours";

export interface Result {
  readonly step: Step;
  readonly outcome: Outcome;
  /** The most that was measured: degrees, part covered, doublings; null where nothing is. */
  readonly value: number | null;
}

export const LIMIT_S = 15;
const DIGITS_S = 8;
const DIGITS = 4;
const TURNED_DEGREES = 28;
const TURNING_DEGREES = 14;
const GONE_SOON_S = 1;
const COVERED = 0.4;
const HELD_S = 0.3;
const LIT_DOUBLINGS = 0.35;
const STRAIGHT_DEGREES = 14;
const STRAIGHT_FRAMES = 6;

/** A number from 0 up to `below`, as nobody can know it. */
export type Draw = (below: number) => number;

/** All steps: straight ahead first, the others as drawn. */
export function drawn(draw: Draw): Step[] {
  const others: Step[] = ["turn", "hand", "light", "digits"];
  for (let i = others.length - 1; i > 0; i--) {
    const other = draw(i + 1);
    [others[i], others[other]] = [others[other]!, others[i]!];
  }
  return ["straight", ...others];
}

export class Challenge {
  readonly digits: string;
  readonly results: Result[] = [];
  readonly #left: Step[];
  #begun: number | null = null;
  #most = 0;
  #count = 0;
  #since: number | null = null;
  #turning: number | null = null;
  #usualSide = 0;

  constructor(steps: readonly Step[], draw: Draw) {
    this.#left = [...steps];
    this.digits = Array.from({ length: DIGITS }, () => draw(10)).join(" ");
  }

  /** What is asked now, or null when all was. */
  get step(): Step | null {
    return this.#left[0] ?? null;
  }

  /** Seconds that the step may still take. */
  left(now: number): number {
    const limit = this.step === "digits" ? DIGITS_S : LIMIT_S;
    return Math.max(0, limit - (now - (this.#begun ?? now)));
  }

  /** True if the face should be remembered as it is now. */
  wantsLook(seen: Seen | null): boolean {
    return this.step === "straight" && seen?.turn != null && Math.abs(seen.turn) <= STRAIGHT_DEGREES;
  }

  /** Takes what is seen at a time in seconds; gives the result of the step if that ends it. */
  see(seen: Seen, now: number): Result | null {
    const step = this.step;
    if (!step) return null;
    this.#begun ??= now;
    const done = this.#done(step, seen, now);
    if (!done && this.left(now) > 0) return null;
    const measured = step === "straight" || step === "digits" ? null : this.#most;
    const result: Result = { step, outcome: step === "digits" ? "yours" : done ? "seen" : "not_seen", value: measured };
    this.results.push(result);
    this.#left.shift();
    this.#begun = this.#since = this.#turning = null;
    this.#most = this.#count = 0;
    return result;
  }

  #done(step: Step, seen: Seen, now: number): boolean {
    const turn = Math.abs(seen.turn ?? 0);
    switch (step) {
      case "straight":
        this.#count = seen.turn !== null && turn <= STRAIGHT_DEGREES ? this.#count + 1 : 0;
        this.#usualSide = seen.side ?? this.#usualSide;
        return this.#count >= STRAIGHT_FRAMES;
      case "turn":
        return this.#turned(seen, turn, now);
      case "hand":
        return this.#held(turn > STRAIGHT_DEGREES * 1.5 ? 0 : (seen.covered ?? 0), COVERED, now);
      case "light": {
        const side = seen.side === null ? 0 : Math.abs(seen.side - this.#usualSide);
        return this.#held(turn > STRAIGHT_DEGREES * 1.5 ? 0 : side, LIT_DOUBLINGS, now);
      }
      case "digits":
        return false;
    }
  }

  /** Faces in profile are not found: one that goes while it turns went on turning. */
  #turned(seen: Seen, turn: number, now: number): boolean {
    this.#most = Math.max(this.#most, turn);
    if (seen.turn !== null) {
      this.#since = null;
      if (turn >= TURNING_DEGREES) this.#turning = now;
      return turn >= TURNED_DEGREES;
    }
    this.#since ??= now;
    const soon = this.#turning !== null && this.#since - this.#turning <= GONE_SOON_S;
    return soon && now - this.#since >= HELD_S;
  }

  #held(value: number, least: number, now: number): boolean {
    this.#most = Math.max(this.#most, value);
    this.#since = value >= least ? (this.#since ?? now) : null;
    return this.#since !== null && now - this.#since >= HELD_S;
  }
}
