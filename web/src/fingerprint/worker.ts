/** The part that counts: digests of files, PDQ of pictures. Runs beside the page, which stays quick. */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Answer, Asked } from "./engine.ts";
import { dihedral } from "./pdq.ts";
import { decoded, pixelsOf, readsTrue } from "./pixels.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;

// The page's own types call this Window.
const here = self as unknown as {
  onmessage: (event: MessageEvent<Asked>) => void;
  postMessage(answer: Answer): void;
};

here.onmessage = ({ data }) => {
  answer(data).catch(() => here.postMessage({ id: data.id, failed: true }));
};

async function answer(asked: Asked): Promise<void> {
  if (asked.job === "digest") {
    const digest = await digestOf(asked.file, (part) => here.postMessage({ id: asked.id, part }));
    here.postMessage({ id: asked.id, done: digest });
    return;
  }
  if (!readsTrue()) throw new Error("this browser does not let pictures be read");
  const bitmap = asked.job === "picture" ? await decoded(asked.file) : asked.bitmap;
  try {
    const { width, height } = bitmap;
    here.postMessage({ id: asked.id, done: { width, height, ...dihedral(pixelsOf(bitmap)) } });
  } finally {
    bitmap.close();
  }
}

/** SHA-256 of a file of any size; a few megabytes are in memory at a time. */
async function digestOf(file: Blob, tell: (part: number) => void): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += CHUNK_BYTES) {
    hash.update(new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer()));
    tell(Math.min(1, (at + CHUNK_BYTES) / file.size));
  }
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
