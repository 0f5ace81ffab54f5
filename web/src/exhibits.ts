/**
 * The files of a report, sealed on this device and sent while the rest of the form is filled in.
 *
 * Chosen files leave the form's own field for a list, each with its progress, and go through the
 * worker `sealing.ts`. Where a browser cannot do that, or the worker does not start, the field stays
 * as it is and the server seals what arrives.
 */
import type { FromWorker, ToWorker } from "./sealing.ts";
import { fill, megabytes } from "./words.ts";

type State = "queued" | "sending" | "waiting" | "paused" | "stopped" | "done";
type Item = {
  element: HTMLElement;
  name: string;
  state: State;
  sent: number;
  total: number;
  told: { id: string; name: string; sha256: string; kind: string } | null;
};

/** Why the list cannot be sent as it is, or that it can. */
export type Standing = "ready" | "under way" | "stuck";

/** Whole percent of all bytes together, 0..99 while anything is missing. */
export function share(items: Iterable<{ sent: number; total: number; state: string }>): number {
  let sent = 0;
  let total = 0;
  let whole = true;
  for (const item of items) {
    sent += item.state === "done" ? item.total : item.sent;
    total += item.total;
    whole &&= item.state === "done";
  }
  return whole ? 100 : Math.min(99, Math.floor((sent / Math.max(1, total)) * 100));
}

function able(): boolean {
  return (
    window.isSecureContext &&
    typeof Worker === "function" &&
    typeof TransformStream === "function" &&
    typeof Blob.prototype.arrayBuffer === "function"
  );
}

export class Exhibits {
  /** Called whenever something of the list has changed. */
  changed: () => void = () => undefined;
  private readonly box: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly template: HTMLTemplateElement;
  private readonly items = new Map<number, Item>();
  private worker: Worker | null = null;
  private identity = "";
  private made = 0;

  private constructor(
    box: HTMLElement,
    field: HTMLInputElement,
    list: HTMLElement,
    template: HTMLTemplateElement,
  ) {
    this.box = box;
    this.field = field;
    this.list = list;
    this.template = template;
  }

  /** The list of this form, or null where there is none or the browser cannot seal. */
  static of(form: HTMLFormElement): Exhibits | null {
    const box = form.querySelector<HTMLElement>("[data-exhibits]");
    const field = form.querySelector<HTMLInputElement>("input[type=file][data-exhibits-field]");
    const list = box?.querySelector<HTMLElement>("[data-exhibits-list]");
    const template = box?.querySelector<HTMLTemplateElement>("template");
    if (!box || !field || !list || !template || !able()) return null;
    const exhibits = new Exhibits(box, field, list, template);
    exhibits.start(form);
    return exhibits;
  }

  get standing(): Standing {
    const states = [...this.items.values()].map((item) => item.state);
    if (states.some((state) => state === "stopped" || state === "paused")) return "stuck";
    return states.every((state) => state === "done") ? "ready" : "under way";
  }

  get size(): number {
    return this.items.size;
  }

  get percent(): number {
    return share(this.items.values());
  }

  /** Put what the report needs of the files into its form. */
  fillIn(body: FormData): void {
    const told = [...this.items.values()].flatMap((item) => (item.told ? [item.told] : []));
    if (told.length === 0) return;
    body.set("sealed", JSON.stringify(told));
    body.set("identity", this.identity);
  }

  /** Lead to the first file that waits for a person. */
  showStuck(): void {
    const stuck = [...this.items.values()].find((item) => /stopped|paused/.test(item.state));
    this.say(this.words("stuck"));
    stuck?.element.querySelector<HTMLElement>("button:not([hidden])")?.focus();
  }

  /** The page is left: nothing goes on behind it. */
  end(): void {
    this.worker?.terminate();
    this.worker = null;
  }

  private start(form: HTMLFormElement): void {
    const worker = new Worker(this.box.dataset["worker"] ?? "");
    worker.addEventListener("error", () => {
      if (this.worker === null) worker.terminate();
    });
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => {
      if (event.data.is === "ready") this.ready(worker, event.data.identity);
      else this.hear(event.data);
    });
    const value = (name: string): string =>
      form.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.value ?? "";
    const message: ToWorker = {
      do: "start",
      recipient: this.box.dataset["recipient"] ?? "",
      url: this.box.dataset["url"] ?? "",
      page: value("submission"),
      csrf: value("csrfmiddlewaretoken"),
    };
    worker.postMessage(message);
  }

  private ready(worker: Worker, identity: string): void {
    this.worker = worker;
    this.identity = identity;
    this.box.hidden = false;
    this.field.dataset["maxBytes"] = this.box.dataset["maxBytes"] ?? "";
    const hint = document.getElementById(this.field.getAttribute("aria-describedby") ?? "");
    if (hint) hint.textContent = this.words("hint");
    this.field.addEventListener("change", () => this.take());
    this.list.addEventListener("click", (event) => this.press(event));
    // What was chosen while the worker started.
    this.take();
  }

  private take(): void {
    const limit = Number(this.box.dataset["maxBytes"] ?? "Infinity");
    const room = Number(this.box.dataset["room"] ?? "5");
    const files = Array.from(this.field.files ?? []);
    if (files.length === 0) return;
    this.field.value = "";
    const long = files.filter((file) => file.size > limit);
    const fit = files.filter((file) => file.size > 0 && file.size <= limit);
    const more = fit.slice(0, Math.max(0, room - this.items.size));
    for (const file of more) this.add(file);
    if (long[0]) {
      const sizes = { size: megabytes(long[0].size), limit: megabytes(limit) };
      this.refuse(`${long[0].name}: ${this.words("tooLarge", sizes)}`);
    } else if (more.length < fit.length) this.refuse(this.words("tooMany", { limit: room }));
    else this.refuse(fit.length < files.length ? this.words("notMedia") : "");
  }

  private add(file: File): void {
    const number = (this.made += 1);
    const copy = this.template.content.firstElementChild?.cloneNode(true);
    if (!(copy instanceof HTMLElement)) return;
    copy.dataset["exhibit"] = String(number);
    const name = copy.querySelector("[data-exhibit-name]");
    if (name) name.textContent = file.name;
    for (const button of copy.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent?.trim()}: ${file.name}`);
    }
    this.list.append(copy);
    const item: Item = {
      element: copy,
      name: file.name,
      state: "queued",
      sent: 0,
      total: file.size,
      told: null,
    };
    this.items.set(number, item);
    this.show(item, this.words("queued"));
    this.tell({ do: "add", number, file });
  }

  private press(event: Event): void {
    const button = (event.target as Element).closest<HTMLElement>("[data-exhibit-do]");
    const element = button?.closest<HTMLElement>("[data-exhibit]");
    const number = Number(element?.dataset["exhibit"]);
    const item = this.items.get(number);
    const act = button?.dataset["exhibitDo"];
    if (!item || !(act === "pause" || act === "again" || act === "remove")) return;
    this.tell({ do: act, number });
    if (act === "again") {
      item.state = "sending";
      this.show(item, this.words("queued"));
    } else if (act === "remove") {
      this.items.delete(number);
      item.element.remove();
      this.say(this.words("removed", { name: item.name }));
      this.field.focus();
      this.changed();
    }
  }

  private hear(message: Exclude<FromWorker, { is: "ready" }>): void {
    const item = this.items.get(message.number);
    if (!item) return;
    if (message.is === "progress") {
      item.sent = message.sent;
      item.total = message.total;
      if (item.state === "paused") return;
      item.state = "sending";
      const percent = share([item]);
      this.show(item, this.words("sending", { percent }));
      return;
    }
    item.state = message.is;
    item.element.dataset["why"] = message.is === "stopped" ? message.why : "";
    let words = this.words(message.is);
    if (message.is === "stopped") words = message.why ? this.words(message.why) : message.words;
    if (message.is === "done") {
      item.told = { id: message.id, name: item.name, sha256: message.sha256, kind: message.kind };
    }
    this.show(item, words);
    this.say(`${item.name}: ${words}`);
  }

  private show(item: Item, words: string): void {
    const { element, state } = item;
    element.dataset["state"] = state;
    const text = element.querySelector("[data-exhibit-state]");
    if (text) text.textContent = words;
    const bar = element.querySelector("progress");
    if (bar) bar.value = share([item]);
    const offered: Record<string, boolean> = {
      pause: ["queued", "sending", "waiting"].includes(state),
      // No second try makes a picture of what is none.
      again: state === "paused" || (state === "stopped" && element.dataset["why"] !== "notMedia"),
      remove: true,
    };
    for (const button of element.querySelectorAll<HTMLElement>("[data-exhibit-do]")) {
      button.hidden = !offered[button.dataset["exhibitDo"] ?? ""];
    }
    this.changed();
  }

  private refuse(words: string): void {
    const place = this.field.closest(".field")?.querySelector<HTMLElement>("[data-file-error]");
    if (!place) return;
    place.hidden = words === "";
    place.textContent = words;
  }

  private say(words: string): void {
    const place = this.box.querySelector("[data-exhibits-said]");
    if (place) place.textContent = words;
  }

  private words(name: string, values: Record<string, string | number> = {}): string {
    const key = `words${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return fill(this.box.dataset[key] ?? "", values);
  }

  private tell(message: ToWorker): void {
    this.worker?.postMessage(message);
  }
}
