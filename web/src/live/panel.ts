/** The page that looks at somebody live: camera or window, what is asked, what is measured. */
import { fill } from "../words.ts";
import { Challenge, drawn, type Draw, type Result } from "./challenge.ts";
import type { Answer } from "./engine.ts";
import type { Seen } from "./measure.ts";

const SIDE = 360;
const RATE_FRAMES = 20;

export function startLive(root: ParentNode): void {
  const panel = root.querySelector<HTMLElement>("[data-live]");
  if (!panel || !navigator.mediaDevices || !("Worker" in globalThis)) return;
  new Panel(panel);
  panel.hidden = false;
  for (const note of root.querySelectorAll<HTMLElement>("[data-live-without]")) note.hidden = true;
}

class Panel {
  readonly #panel: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #canvas = document.createElement("canvas");
  #worker: Worker | null = null;
  #stream: MediaStream | null = null;
  #challenge = new Challenge([], chance);
  #seen: Seen | null = null;
  #times: number[] = [];

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#video = this.#part<HTMLVideoElement>("video");
    const media = navigator.mediaDevices;
    const camera = { video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" }, audio: false };
    this.#part("camera").addEventListener("click", () => void this.#begin(() => media.getUserMedia(camera)));
    const other = this.#part("window");
    other.hidden = typeof media.getDisplayMedia !== "function";
    other.addEventListener("click", () => void this.#begin(() => media.getDisplayMedia({ video: true, audio: false })));
    this.#part("stop").addEventListener("click", () => this.#stop());
    addEventListener("pagehide", () => this.#stop());
  }

  async #begin(open: () => Promise<MediaStream>): Promise<void> {
    this.#stop();
    this.#part("results").replaceChildren();
    try {
      this.#stream = await open();
    } catch {
      this.#say("ask", this.#word("refused"));
      return;
    }
    this.#stream.getVideoTracks()[0]?.addEventListener("ended", () => this.#stop());
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#worker = new Worker(this.#panel.dataset["liveWorker"]!);
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#answered(data);
    this.#worker.onerror = () => this.#stop();
    this.#challenge = new Challenge(drawn(chance), chance);
    this.#seen = null;
    this.#times = [];
    this.#show(true);
    this.#ask();
    this.#send();
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    this.#show(false);
  }

  /** One frame at a time: the next is taken when the last was answered, so that none wait. */
  #send(): void {
    const { videoWidth, videoHeight } = this.#video;
    if (!this.#worker) return;
    if (!videoWidth || this.#video.readyState < 2) {
      requestAnimationFrame(() => this.#send());
      return;
    }
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const width = (this.#canvas.width = Math.max(16, Math.round(videoWidth * scale)));
    const height = (this.#canvas.height = Math.max(16, Math.round(videoHeight * scale)));
    const drawing = this.#canvas.getContext("2d", { willReadFrequently: true });
    if (!drawing) return;
    drawing.drawImage(this.#video, 0, 0, width, height);
    const data = drawing.getImageData(0, 0, width, height).data.buffer;
    const keep = this.#challenge.wantsLook(this.#seen);
    this.#worker.postMessage({ width, height, data, keep }, [data]);
  }

  #answered({ seen }: Answer): void {
    const now = performance.now() / 1000;
    this.#times = [...this.#times, now].slice(-RATE_FRAMES);
    this.#seen = seen;
    const result = this.#challenge.see(seen, now);
    if (result) {
      this.#told(result);
      this.#ask();
    }
    this.#numbers(seen, now);
    setTimeout(() => this.#send());
  }

  #ask(): void {
    const step = this.#challenge.step;
    const word = step ? this.#word(`ask-${step}`) : this.#word("done");
    this.#say("ask", fill(word, { digits: this.#challenge.digits }));
    this.#part("time").hidden = !step;
  }

  #told({ step, outcome, value }: Result): void {
    const row = document.createElement("li");
    const amount = value === null ? "" : ` ${fill(this.#word(`amount-${step}`), { value: shown(step, value) })}`;
    const digits = step === "digits" ? ` ${this.#challenge.digits}` : "";
    row.textContent = `${this.#word(`name-${step}`)}: ${this.#word(`outcome-${outcome}`)}${amount}${digits}`;
    row.dataset["outcome"] = outcome;
    row.dataset["step"] = step;
    this.#part("results").append(row);
  }

  #numbers(seen: Seen, now: number): void {
    const took = now - (this.#times[0] ?? now);
    const rate = took > 0 ? (this.#times.length - 1) / took : 0;
    const words = seen.turn === null ? this.#word("no-face") : this.#word("numbers");
    const percent = seen.covered === null ? "-" : `${Math.round(100 * seen.covered)} %`;
    this.#part<HTMLProgressElement>("time").value = this.#challenge.left(now);
    this.#say("numbers", fill(words, {
      rate: rate.toFixed(1), turn: Math.round(seen.turn ?? 0), side: (seen.side ?? 0).toFixed(2), covered: percent,
    }));
  }

  #show(live: boolean): void {
    this.#video.hidden = !live;
    this.#part("stop").hidden = !live;
    this.#part("time").hidden = !live;
    this.#part("numbers").hidden = !live;
  }

  #say(name: string, words: string): void {
    this.#part(name).textContent = words;
  }

  #word(name: string): string {
    return this.#panel.getAttribute(`data-words-${name}`) ?? "";
  }

  #part<T extends HTMLElement = HTMLElement>(name: string): T {
    return this.#panel.querySelector<T>(`[data-live-${name}]`)!;
  }
}

/** From the browser's own source of chance; the remainder's bias is under one in 2 ** 29. */
const chance: Draw = (below) => crypto.getRandomValues(new Uint32Array(1))[0]! % below;

function shown(step: string, value: number): string {
  if (step === "hand") return `${Math.round(100 * value)} %`;
  return step === "turn" ? String(Math.round(value)) : (2 ** value).toFixed(1);
}
