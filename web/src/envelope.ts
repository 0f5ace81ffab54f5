/**
 * A file as an age envelope, made while it is read: nothing of it is held but the piece at hand.
 *
 * The envelope is handed out once, front to back. Whoever sends it keeps a piece until it has been
 * acknowledged, since encrypting the file again would make another envelope.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Encrypter } from "age-encryption";
import { HEAD_BYTES, sniff } from "./sniff.ts";

const READ_BYTES = 1024 * 1024;

/** The file cannot be read: it was moved, changed or taken away since it was chosen. */
export class Unreadable extends Error {}

export class Envelope {
  /** Of the whole envelope, in bytes. */
  readonly length: number;
  private readonly source: ReadableStreamDefaultReader<Uint8Array>;
  private readonly digest: ReturnType<typeof sha256.create>;
  private rest: Uint8Array = new Uint8Array(0);

  private constructor(
    length: number,
    source: ReadableStreamDefaultReader<Uint8Array>,
    digest: ReturnType<typeof sha256.create>,
  ) {
    this.length = length;
    this.source = source;
    this.digest = digest;
  }

  static async of(file: Blob, recipient: string): Promise<Envelope> {
    const digest = sha256.create();
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const sealed = await encrypter.encrypt(read(file, (bytes) => digest.update(bytes)));
    return new Envelope(sealed.size(file.size), sealed.getReader(), digest);
  }

  /** The next `bytes` of the envelope; fewer only at its end. */
  async piece(bytes: number): Promise<Uint8Array> {
    const parts = [this.rest];
    let held = this.rest.length;
    while (held < bytes) {
      const { done, value } = await this.source.read();
      if (done) break;
      parts.push(value);
      held += value.length;
    }
    const all = joined(parts, held);
    this.rest = all.slice(bytes);
    return all.subarray(0, bytes);
  }

  /** SHA-256 of the file, in hexadecimal digits; once, after the last piece. */
  sha256(): string {
    return bytesToHex(this.digest.digest());
  }

  /** Stop reading. */
  close(): void {
    this.source.cancel().catch(() => undefined);
  }
}

/** The kind of a file, or null. */
export async function kindOf(file: Blob): Promise<string | null> {
  return sniff(await slice(file, 0, HEAD_BYTES));
}

function read(file: Blob, seen: (bytes: Uint8Array) => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await slice(file, at, Math.min(READ_BYTES, file.size - at));
        at += bytes.length;
        seen(bytes);
        if (bytes.length > 0) controller.enqueue(bytes);
        if (at >= file.size) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

async function slice(file: Blob, start: number, length: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.slice(start, start + length).arrayBuffer());
  } catch (error) {
    throw new Unreadable(String(error));
  }
  if (bytes.length !== Math.min(length, file.size - start)) throw new Unreadable("it became shorter");
  return bytes;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
