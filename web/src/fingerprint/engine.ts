/** The page's side of the worker: one question at a time, one answer each, and one way to stop. */
import type { Pdq } from "./pdq.ts";

export interface Look extends Pdq {
  readonly width: number;
  readonly height: number;
}

export type Asked =
  | { readonly id: number; readonly job: "digest"; readonly file: Blob }
  | { readonly id: number; readonly job: "picture"; readonly file: Blob }
  | { readonly id: number; readonly job: "frame"; readonly bitmap: ImageBitmap };

export type Answer =
  | { readonly id: number; readonly part: number }
  | { readonly id: number; readonly done: string | Look }
  | { readonly id: number; readonly failed: true };

/** Somebody pressed Stop; no mistake. */
export class Stopped extends Error {}

/** The file cannot be opened here. */
export class Unreadable extends Error {}

interface Waiting {
  readonly tell: (part: number) => void;
  readonly done: (value: string | Look) => void;
  readonly fail: (reason: Error) => void;
}

export class Engine {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  private stopped = false;

  constructor(address: string) {
    this.worker = new Worker(address);
    this.worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.take(data));
    this.worker.addEventListener("error", () => this.failAll(new Unreadable()));
  }

  /** SHA-256 in hexadecimal; `tell` hears how much is done, 0..1. */
  async digest(file: Blob, tell: (part: number) => void): Promise<string> {
    return (await this.ask((id) => ({ id, job: "digest", file }), tell)) as string;
  }

  async picture(file: Blob): Promise<Look> {
    return (await this.ask((id) => ({ id, job: "picture", file }))) as Look;
  }

  /** One frame of a video. The bitmap goes over to the worker. */
  async frame(bitmap: ImageBitmap): Promise<Look> {
    return (await this.ask((id) => ({ id, job: "frame", bitmap }), undefined, [bitmap])) as Look;
  }

  /** End it all. Whoever waits hears Stopped. */
  stop(): void {
    this.stopped = true;
    this.worker.terminate();
    this.failAll(new Stopped());
  }

  /** Throws Stopped once somebody stopped it. */
  goOn(): void {
    if (this.stopped) throw new Stopped();
  }

  private ask(
    make: (id: number) => Asked,
    tell: (part: number) => void = () => undefined,
    over: Transferable[] = [],
  ): Promise<string | Look> {
    this.goOn();
    const id = (this.last += 1);
    return new Promise((done, fail) => {
      this.waiting.set(id, { tell, done, fail });
      this.worker.postMessage(make(id), over);
    });
  }

  private take(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (waiting === undefined) return;
    if ("part" in answer) {
      waiting.tell(answer.part);
      return;
    }
    this.waiting.delete(answer.id);
    if ("done" in answer) waiting.done(answer.done);
    else waiting.fail(new Unreadable());
  }

  private failAll(reason: Error): void {
    for (const { fail } of this.waiting.values()) fail(reason);
    this.waiting.clear();
  }
}
