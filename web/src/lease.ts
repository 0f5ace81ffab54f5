/**
 * A case that somebody works on stays theirs while they do: the page says so, at most every four
 * minutes, and only after a key, a touch or a scroll. Who stops working frees it by doing nothing.
 */

const EVERY_MS = 4 * 60_000;

/** Is it time to say so? Only where something was done since the last time. */
export function due(lastSaidMs: number, lastActMs: number, nowMs: number): boolean {
  return lastActMs > lastSaidMs && nowMs - lastSaidMs >= EVERY_MS;
}

export function startLease(root: Document): void {
  const held = root.querySelector<HTMLElement>("[data-lease]");
  const words = held?.querySelector<HTMLElement>("[data-lease-words]");
  const address = held?.dataset["lease"];
  const token = root.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value;
  if (!held || !words || !address || !token) return;
  let saidMs = performance.now();
  let actMs = saidMs;
  for (const name of ["keydown", "pointerdown", "pointermove", "scroll"]) {
    root.addEventListener(name, () => (actMs = performance.now()), { passive: true });
  }
  const say = async (): Promise<void> => {
    if (!due(saidMs, actMs, performance.now())) return;
    saidMs = performance.now();
    const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
    const kept = answer.status === 204;
    words.textContent = held.dataset[kept ? "wordsKept" : "wordsLost"] ?? "";
    words.classList.toggle("field__error", !kept);
    if (!kept) window.clearInterval(timer);
  };
  const timer = window.setInterval(() => void say().catch(() => undefined), 30_000);
}
