/** What the page and its worker say to each other. */
import type { Box } from "./faces.ts";
import type { Seen } from "./measure.ts";

/** One frame: pixels as a canvas gives them. */
export interface Asked {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayBuffer;
  /** Remember how the face looks now. */
  readonly keep: boolean;
}

export interface Answer {
  readonly seen: Seen;
  readonly box: Box | null;
}
