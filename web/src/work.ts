/**
 * Where very much came from this network: calculate a little instead of waiting.
 *
 * Nothing leaves the device but the number that was found, with the form. Without scripts, or where
 * the calculation cannot start, the form is sent as it is and the server asks to wait.
 */
import { sha256, zeroBits } from "./sha256.ts";

/** The first number with which the challenge's SHA-256 begins with `bits` zero bits; bits <= 32. */
export function solve(challenge: string, bits: number): number {
  for (let number = 0; ; number += 1) {
    if (zeroBits(sha256(`${challenge}:${number}`)) >= bits) return number;
  }
}

/** Begin where the page holds a challenge. */
export function startWork(root: Document): void {
  const asked = root.querySelector<HTMLInputElement>("[data-work]");
  const answer = root.querySelector<HTMLInputElement>("[data-worked]");
  const said = root.querySelector<HTMLElement>("[data-work-said]");
  const address = asked?.dataset["worker"];
  if (!asked || !answer || !address) return;
  const say = (words: string | undefined): void => {
    if (said && words) [said.textContent, said.hidden] = [words, false];
  };
  const worker = new Worker(address);
  worker.addEventListener("message", (event: MessageEvent<number>) => {
    answer.value = String(event.data);
    say(said?.dataset["wordsDone"]);
    worker.terminate();
  });
  worker.addEventListener("error", () => worker.terminate());
  say(said?.dataset["wordsWorking"]);
  worker.postMessage({ challenge: asked.value, bits: Number(asked.dataset["bits"]) });
}
