/**
 * The frames of a video, one after the other, by way of the browser's own player.
 *
 * As close as MOST_FRAMES allow. The server looks at two frames a second of an upload, so the steps
 * meet its own; the closer they are, the more copies that were cut at another instant are found
 * (docs/fingerprint-only.md has the figures).
 */
import { Unreadable } from "./engine.ts";

export const MOST_FRAMES = 300;
const STEPS_S = [0.1, 0.25, 0.5];
const PATIENCE_MS = 30_000;

/** The instants that are looked at, in seconds, of a video that plays for `seconds`. */
export function moments(seconds: number): number[] {
  const fits = (step: number): boolean => seconds / step <= MOST_FRAMES;
  let step = STEPS_S.find(fits) ?? 1;
  while (!fits(step)) step *= 2;
  const count = Math.max(1, Math.ceil(seconds / step - 1e-6));
  return Array.from({ length: count }, (_, at) => Math.round(at * step * 1000) / 1000);
}

/**
 * Show each moment of `file` to `see`, in order. `see` may take its time, and may throw to end it.
 * Rejects with Unreadable where the browser cannot play the file.
 */
export async function watch(
  file: Blob,
  see: (bitmap: ImageBitmap, seconds: number, part: number) => Promise<void>,
): Promise<void> {
  const player = document.createElement("video");
  player.muted = true;
  player.playsInline = true;
  player.preload = "auto";
  const address = URL.createObjectURL(file);
  try {
    player.src = address;
    await happens(player, "loadeddata");
    const all = moments(await playingTime(player));
    for (const [at, seconds] of all.entries()) {
      await showing(player, seconds);
      const bitmap = await createImageBitmap(player, { colorSpaceConversion: "none" });
      await see(bitmap, seconds, (at + 1) / all.length);
    }
  } finally {
    player.removeAttribute("src");
    player.load();
    URL.revokeObjectURL(address);
  }
}

/** Recordings made by browsers do not say how long they are; at their far end they know. */
async function playingTime(player: HTMLVideoElement): Promise<number> {
  if (player.videoWidth === 0) throw new Unreadable();
  if (!Number.isFinite(player.duration)) {
    const known = happens(player, "durationchange");
    player.currentTime = Number.MAX_SAFE_INTEGER;
    await known;
  }
  if (!Number.isFinite(player.duration)) throw new Unreadable();
  return player.duration;
}

async function showing(player: HTMLVideoElement, seconds: number): Promise<void> {
  if (player.currentTime === seconds && !player.seeking) return;
  const there = happens(player, "seeked");
  player.currentTime = seconds;
  await there;
}

function happens(player: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((done, fail) => {
    const settle = (finish: () => void) => (): void => {
      clearTimeout(patience);
      finish();
    };
    const patience = setTimeout(() => fail(new Unreadable()), PATIENCE_MS);
    player.addEventListener(event, settle(done), { once: true });
    player.addEventListener("error", settle(() => fail(new Unreadable())), { once: true });
  });
}
