/**
 * One envelope on its way to the server, over connections that break.
 *
 * A piece is sent until the server says that it is on its disk. After a break the server is asked how
 * far it has come: it has this piece or it has not, and both are well. What it acknowledged it never
 * asks for again.
 */
import type { Envelope } from "./envelope.ts";

export type Answer = { status: number; told: Readonly<Record<string, unknown>> | null };

/** One request. Rejects when no answer came; `told` is null where the answer is no JSON of ours. */
export type Ask = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
  progress?: (sent: number) => void,
) => Promise<Answer>;

/** Waits before the attempt of that number, from 1; rejects when it shall not go on. */
export type Wait = (attempt: number) => Promise<void>;

/** The server will not have it; `words` are its own. */
export class Refused extends Error {
  readonly code: string;
  readonly words: string;

  constructor(code: string, words: string) {
    super(code);
    this.code = code;
    this.words = words;
  }
}

/** The server has forgotten this upload: begin anew. */
export class Forgotten extends Error {}

const BEGIN = "";
/** Refusals that pass by themselves: a part lost on the way, the last request still at work. */
const PASSING = ["upload.busy", "upload.bad_piece", "upload.wrong_offset"];

/** Seconds before an attempt, from 1: 1, 2, 4 ... at most 30. */
export function backOff(attempt: number): number {
  return Math.min(30, 2 ** Math.min(attempt - 1, 5));
}

export class Sending {
  private readonly ask: Ask;
  private readonly wait: Wait;
  private readonly progress: (sent: number) => void;
  private attempt = 0;

  constructor(ask: Ask, wait: Wait, progress: (sent: number) => void) {
    this.ask = ask;
    this.wait = wait;
    this.progress = progress;
  }

  /** Send all of it; `begun` hears the upload's id. Rejects with Refused, Forgotten, or as `wait`. */
  async send(envelope: Envelope, begun: (id: string) => void): Promise<void> {
    const room = await this.until("POST", BEGIN, { "Upload-Length": String(envelope.length) });
    const id = String(room["upload"]);
    const size = Number(room["piece_bytes"]);
    begun(id);
    let sent = 0;
    while (sent < envelope.length) {
      const piece = await envelope.piece(size);
      await this.deliver(id, sent, piece);
      sent += piece.length;
      this.progress(sent);
    }
    await this.until("POST", id, {});
  }

  private async deliver(id: string, offset: number, piece: Uint8Array): Promise<void> {
    const headers = {
      "Upload-Offset": String(offset),
      "Content-Type": "application/octet-stream",
    };
    for (;;) {
      const told = await this.once("PUT", id, headers, piece, (sent) => this.progress(offset + sent));
      if (told) return;
      const { received } = await this.until("GET", id, {});
      if (received === offset + piece.length) return;
      // It went back, or further than was sent: this is no longer the same upload.
      if (received !== offset) throw new Forgotten(`${received} for ${offset}`);
    }
  }

  private async until(
    method: "GET" | "POST",
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const told = await this.once(method, path, headers);
      if (told) return told;
    }
  }

  /** One request; null after a wait, where it is worth another. */
  private async once(
    method: "GET" | "POST" | "PUT",
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
    progress?: (sent: number) => void,
  ): Promise<Readonly<Record<string, unknown>> | null> {
    let answer: Answer | null = null;
    try {
      answer = await this.ask(method, path, headers, body, progress);
    } catch {
      // No answer: what became of the request, the server will say.
    }
    if (answer?.told && answer.status < 300) {
      this.attempt = 0;
      return answer.told;
    }
    if (answer && !passes(answer)) throw refusal(answer);
    this.attempt += 1;
    await this.wait(this.attempt);
    return null;
  }
}

function passes(answer: Answer): boolean {
  return answer.status >= 500 || PASSING.includes(String(answer.told?.["code"]));
}

function refusal(answer: Answer): Error {
  if (answer.status === 404) return new Forgotten();
  return new Refused(String(answer.told?.["code"] ?? ""), String(answer.told?.["words"] ?? ""));
}
