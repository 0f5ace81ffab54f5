/**
 * The worker of the report page: seals files to the page's age identity and sends them, one by one.
 *
 * The identity is made here, from the browser's own random source, unless the page names a recipient
 * whose identity its server already keeps for it. It is told to the page alone, which sends it once,
 * with the report.
 */
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { Envelope, Unreadable, kindOf } from "./envelope.ts";
import { type Answer, type Ask, Forgotten, Refused, Sending, backOff } from "./sending.ts";

export type ToWorker =
  | { do: "start"; recipient: string; url: string; page: string; csrf: string }
  | { do: "add"; number: number; file: File }
  | { do: "pause" | "again" | "remove"; number: number };

/** `why`: a reason for which the page has words, or "" where the server's stand in `words`. */
export type FromWorker =
  | { is: "ready"; identity: string }
  | { is: "progress"; number: number; sent: number; total: number }
  | { is: "waiting" | "paused"; number: number }
  | { is: "stopped"; number: number; why: "lost" | "unreadable" | "notMedia" | ""; words: string }
  | { is: "done"; number: number; id: string; sha256: string; kind: string };

type State = "queued" | "sending" | "paused" | "stopped" | "done";
/** `stop` ends the request or the wait under way, `wake` a pause. */
type Job = {
  number: number;
  file: File;
  state: State;
  id: string;
  stop: () => void;
  wake: () => void;
};

/** After half an hour of trying, a person says when to go on. */
const ATTEMPTS = 60;
const FRESH_STARTS = 3;

/** The file was taken away. */
class Halted extends Error {}

const nothing = (): void => undefined;

class Sealing {
  private readonly jobs = new Map<number, Job>();
  private recipient = "";
  private base = { url: "", page: "", csrf: "" };
  private working = false;

  async hear(message: ToWorker): Promise<void> {
    if (message.do === "start") return this.start(message);
    if (message.do === "add") {
      const { number, file } = message;
      const job: Job = { number, file, state: "queued", id: "", stop: nothing, wake: nothing };
      this.jobs.set(number, job);
      return this.work();
    }
    const job = this.jobs.get(message.number);
    if (!job) return;
    if (message.do === "again") return this.again(job);
    if (message.do === "remove") this.remove(job);
    else if (job.state === "queued" || job.state === "sending") {
      job.state = "paused";
      tell({ is: "paused", number: job.number });
      job.stop();
    }
  }

  private again(job: Job): Promise<void> | void {
    if (job.state !== "paused" && job.state !== "stopped") return;
    job.state = "queued";
    job.wake();
    return this.work();
  }

  private remove(job: Job): void {
    this.jobs.delete(job.number);
    job.state = "paused";
    job.stop();
    job.wake();
    this.forget(job);
  }

  private forget(job: Job): void {
    if (job.id !== "") void this.ask("DELETE", job.id, {}).catch(nothing);
    job.id = "";
  }

  private async start(message: Extract<ToWorker, { do: "start" }>): Promise<void> {
    this.base = message;
    let identity = "";
    if (message.recipient === "") identity = await generateX25519Identity();
    this.recipient = message.recipient || (await identityToRecipient(identity));
    tell({ is: "ready", identity });
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (;;) {
      const next = [...this.jobs.values()].find((job) => job.state === "queued");
      if (!next) break;
      next.state = "sending";
      try {
        await this.seal(next);
      } catch (error) {
        this.failed(next, error);
      }
    }
    this.working = false;
  }

  private async seal(job: Job): Promise<void> {
    const { number } = job;
    const kind = await kindOf(job.file);
    if (kind === null) return stopped(job, "notMedia");
    for (let start = 1; ; start += 1) {
      this.forget(job);
      const envelope = await Envelope.of(job.file, this.recipient);
      const total = envelope.length;
      const sending = new Sending(this.asker(job), this.waiter(job), (sent) => {
        tell({ is: "progress", number, sent, total });
      });
      try {
        await sending.send(envelope, (id) => (job.id = id));
        job.state = "done";
        return tell({ is: "done", number, id: job.id, sha256: envelope.sha256(), kind });
      } catch (error) {
        envelope.close();
        if (!(error instanceof Forgotten) || start === FRESH_STARTS) throw error;
      }
    }
  }

  private failed(job: Job, error: unknown): void {
    if (error instanceof Halted) this.forget(job);
    else if (error instanceof Refused) stopped(job, "", error.words);
    else stopped(job, error instanceof Unreadable ? "unreadable" : "lost");
  }

  /** Requests of one job; none is made while it is paused. */
  private asker(job: Job): Ask {
    return async (method, path, headers, body, progress) => {
      if (job.state === "paused") await this.held(job);
      return this.ask(method, path, headers, body, progress, job);
    };
  }

  /** Waits longer each time; going on-line, or a person, ends it early. */
  private waiter(job: Job): (attempt: number) => Promise<void> {
    return async (attempt) => {
      if (job.state === "sending" && attempt % ATTEMPTS === 0) stopped(job, "lost");
      else if (job.state === "sending") {
        tell({ is: "waiting", number: job.number });
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, backOff(attempt) * 1000);
          job.stop = () => {
            clearTimeout(timer);
            resolve();
          };
          self.addEventListener("online", job.stop, { once: true });
        });
      }
      if (job.state !== "sending") await this.held(job);
    };
  }

  /** Until a person says "go on"; rejects where the file was taken away. */
  private async held(job: Job): Promise<void> {
    if (this.jobs.has(job.number) && job.state !== "queued") {
      await new Promise<void>((resolve) => (job.wake = resolve));
    }
    if (!this.jobs.has(job.number)) throw new Halted();
    job.state = "sending";
  }

  private ask(
    method: Parameters<Ask>[0],
    path: string,
    headers: Parameters<Ask>[2],
    body?: Uint8Array,
    progress?: (sent: number) => void,
    job?: Job,
  ): Promise<Answer> {
    const { url, page, csrf } = this.base;
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, path === "" ? url : `${url}/${path}`);
      const all = { ...headers, "Upload-Page": page, "X-CSRFToken": csrf };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      request.timeout = 120_000;
      if (progress) request.upload.onprogress = ({ loaded }) => progress(loaded);
      request.onload = () => resolve({ status: request.status, told: json(request.responseText) });
      request.onerror = request.ontimeout = request.onabort = () => reject(new Error("lost"));
      if (job) job.stop = () => request.abort();
      request.send((body as Uint8Array<ArrayBuffer> | undefined) ?? null);
    });
  }
}

function stopped(job: Job, why: "lost" | "unreadable" | "notMedia" | "", words = ""): void {
  job.state = "stopped";
  tell({ is: "stopped", number: job.number, why, words });
}

function json(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" ? (found as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

function tell(message: FromWorker): void {
  self.postMessage(message);
}

const sealing = new Sealing();
self.addEventListener("message", (event: MessageEvent<ToWorker>) => void sealing.hear(event.data));
