/**
 * "Do not send the picture, only its fingerprint": the part of the form where that is chosen, made
 * and shown. The field that picks the files has no name, so no browser sends them with the form.
 */
import { fill } from "../words.ts";
import { Engine, Stopped } from "./engine.ts";
import { fingerprintOf, FRAME_DIGITS, readBack, type Told } from "./told.ts";

type Words = "working" | "stopped" | "failed" | "many" | "wait" | "file" | "unnamed" | "size" | "moments" | "quality";

interface Shown {
  readonly told: Told;
  readonly name: string;
}

class Panel {
  private readonly root: HTMLElement;
  private readonly form: HTMLFormElement;
  private shown: Shown[] = [];
  private engine: Engine | null = null;

  constructor(root: HTMLElement, form: HTMLFormElement) {
    this.root = root;
    this.form = form;
  }

  start(): void {
    const old = readBack(this.field().value);
    this.shown = old.map((told, at) => ({ told, name: this.words("unnamed", { n: at + 1 }) }));
    this.root.hidden = false;
    for (const choice of this.choices()) choice.addEventListener("change", () => this.choose());
    if (old.length > 0) this.choice("here").checked = true;
    this.part("files").addEventListener("change", () => void this.take());
    this.part("stop").addEventListener("click", () => this.engine?.stop());
    // Before the upload hears of it, which was registered later.
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.choose();
    this.show();
  }

  private choose(): void {
    const here = this.choice("here").checked;
    this.part("panel").hidden = !here;
    // What stands in a field that is switched off is not sent.
    this.field().disabled = !here;
    for (const upload of this.form.querySelectorAll<HTMLElement>("[data-here-upload]")) {
      upload.hidden = here;
      if (here) this.letGo(upload);
    }
    if (!here) this.engine?.stop();
  }

  /** A file that was chosen for sending is not sent after all. */
  private letGo(upload: HTMLElement): void {
    for (const field of upload.querySelectorAll<HTMLInputElement>('input[type="file"]')) {
      if (field.files?.length === 0) continue;
      field.value = "";
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  private async take(): Promise<void> {
    const input = this.part("files") as HTMLInputElement;
    const room = Number(this.root.dataset["most"]) - this.shown.length;
    const files = Array.from(input.files ?? []);
    input.value = "";
    this.say(files.length > room ? this.words("many", { limit: this.root.dataset["most"] ?? "" }) : "");
    const taken = files.slice(0, Math.max(0, room));
    if (taken.length === 0) return;
    input.disabled = true;
    const engine = (this.engine = new Engine(this.root.dataset["worker"] ?? ""));
    this.part("working").hidden = false;
    try {
      for (const [at, file] of taken.entries()) {
        const tell = (part: number): void => this.progress(at + 1, taken.length, part);
        tell(0);
        this.add({ told: await fingerprintOf(file, engine, tell), name: file.name });
      }
    } catch (error) {
      this.say(this.words(error instanceof Stopped ? "stopped" : "failed"));
    } finally {
      engine.stop();
      this.engine = null;
      input.disabled = false;
      this.part("working").hidden = true;
      this.show();
    }
  }

  private add(one: Shown): void {
    if (this.shown.some(({ told }) => told.sha256 === one.told.sha256)) return;
    this.shown.push(one);
    this.show();
  }

  private progress(number: number, count: number, part: number): void {
    const percent = Math.floor(part * 100);
    const bar = this.part("working").querySelector("progress");
    if (bar) bar.value = percent;
    const words = this.words("working", { n: number, count, percent: percent - (percent % 5) });
    const place = this.part("text");
    if (place.textContent !== words) place.textContent = words;
  }

  private show(): void {
    const list = this.part("items");
    list.replaceChildren(...this.shown.map((one, at) => this.item(one, at)));
    this.part("list").hidden = this.shown.length === 0;
    this.field().value = this.shown.length > 0 ? JSON.stringify(this.shown.map(({ told }) => told)) : "";
  }

  private item({ told, name }: Shown, at: number): Node {
    const template = this.part("item") as unknown as HTMLTemplateElement;
    const node = template.content.cloneNode(true) as DocumentFragment;
    const put = (place: string, words: string): void => {
      const found = node.querySelector<HTMLElement>(`[data-told-${place}]`);
      if (found) found.textContent = words;
    };
    const keep = (place: string, wanted: boolean): void => {
      if (!wanted) node.querySelectorAll(`[data-told-${place}]`).forEach((one) => one.remove());
    };
    put("name", name);
    put("sha256", told.sha256);
    put("pdq", told.turns[0] ?? "");
    put("quality", this.words("quality", { n: told.quality }));
    put("size", this.words("size", { width: told.width, height: told.height }));
    put("moments", this.words("moments", { n: told.frames.length / FRAME_DIGITS }));
    put("all", JSON.stringify(told, null, 1));
    keep("look", told.turns.length > 0);
    keep("film", told.frames !== "");
    keep("closed", told.turns.length === 0);
    keep("plain", told.turns.length > 0 && told.quality < 50);
    node.querySelector("[data-told-remove]")?.addEventListener("click", () => this.remove(at));
    return node;
  }

  private remove(at: number): void {
    this.shown.splice(at, 1);
    this.show();
    this.part("files").focus();
  }

  private submit(event: SubmitEvent): void {
    if (this.engine === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.say(this.words("wait"));
    this.part("working").focus();
  }

  private say(words: string): void {
    const place = this.part("problem");
    place.textContent = words;
    place.hidden = words === "";
  }

  private words(name: Words, values: Record<string, string | number> = {}): string {
    return fill(this.root.dataset[`words${name.charAt(0).toUpperCase()}${name.slice(1)}`] ?? "", values);
  }

  private part(name: string): HTMLElement {
    return this.root.querySelector<HTMLElement>(`[data-here-${name}]`)!;
  }

  private field(): HTMLInputElement {
    return this.part("told") as HTMLInputElement;
  }

  private choices(): NodeListOf<HTMLInputElement> {
    return this.root.querySelectorAll<HTMLInputElement>("[data-here-choice]");
  }

  private choice(value: "send" | "here"): HTMLInputElement {
    return Array.from(this.choices()).find((choice) => choice.value === value)!;
  }
}

/** Offered only where the browser can do it; otherwise the page goes on saying that it needs scripts. */
export function startFingerprintHere(root: ParentNode): void {
  const section = root.querySelector<HTMLElement>("[data-here]");
  const form = section?.closest("form");
  if (!section || !form) return;
  const able = typeof Worker === "function" && typeof OffscreenCanvas === "function";
  if (!able) {
    const words = root.querySelector<HTMLElement>("[data-here-unable]");
    if (words) words.hidden = false;
    return;
  }
  new Panel(section, form).start();
}
