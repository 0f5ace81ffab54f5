/** Finds the number that solves a challenge, beside the page so that the page stays usable. */
import { solve } from "./work.ts";

self.addEventListener("message", (event: MessageEvent<{ challenge: string; bits: number }>) => {
  self.postMessage(solve(event.data.challenge, event.data.bits));
});
