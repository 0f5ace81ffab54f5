/** What is told about one file instead of the file: the form the server reads (evidence/told.py). */
import type { Engine, Look } from "./engine.ts";
import { Unreadable } from "./engine.ts";
import { watch } from "./film.ts";
import { MIN_QUALITY } from "./pdq.ts";

/** frames: 37 bytes each in hexadecimal (fingerprint/frames.py); empty but for a video. */
export interface Told {
  readonly kind: "picture" | "video" | "file";
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly quality: number;
  readonly turns: readonly string[];
  readonly frames: string;
}

export const FRAME_DIGITS = 74;

/** The fingerprint of one file. A file that cannot be opened here still has a digest. */
export async function fingerprintOf(file: File, engine: Engine, tell: (part: number) => void): Promise<Told> {
  const isVideo = file.type.startsWith("video/");
  const reading = isVideo ? 0.4 : 0.8;
  const sha256 = await engine.digest(file, (part) => tell(part * reading));
  try {
    if (isVideo) return await ofVideo(file, sha256, engine, (part) => tell(reading + part * (1 - reading)));
    const { width, height, quality, turns } = await engine.picture(file);
    return { kind: "picture", sha256, width, height, quality, turns, frames: "" };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { kind: "file", sha256, width: 0, height: 0, quality: 0, turns: [], frames: "" };
  }
}

async function ofVideo(
  file: File,
  sha256: string,
  engine: Engine,
  tell: (part: number) => void,
): Promise<Told> {
  let key: Look | null = null;
  let frames = "";
  await watch(file, async (bitmap, seconds, part) => {
    engine.goOn();
    const look = await engine.frame(bitmap);
    frames += packed(seconds, look);
    if (key === null || (key.quality < MIN_QUALITY && look.quality > key.quality)) key = look;
    tell(part);
  });
  if (key === null) throw new Unreadable();
  const { width, height, quality, turns } = key as Look;
  return { kind: "video", sha256, width, height, quality, turns, frames };
}

/** uint32 milliseconds, uint8 quality, 32 bytes of PDQ; big-endian. */
export function packed(seconds: number, { quality, turns }: Pick<Look, "quality" | "turns">): string {
  const digits = (value: number, length: number): string => value.toString(16).padStart(length, "0");
  return digits(Math.round(seconds * 1000), 8) + digits(quality, 2) + turns[0]!;
}

/** What a page that comes back still holds; nothing where it is not ours. */
export function readBack(text: string): Told[] {
  try {
    const told: unknown = JSON.parse(text || "[]");
    return Array.isArray(told) ? (told as Told[]) : [];
  } catch {
    return [];
  }
}
