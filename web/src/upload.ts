/**
 * Send a form that holds a file, and say how far it is.
 *
 * A file over the limit is named before anything is sent. The answer of the server is shown as it
 * is: the page that comes back replaces this one, so a form with scripts and one without are the
 * same request with the same answer. A form without a chosen file is left to the browser.
 *
 * Files that are sealed on this device (`exhibits.ts`) are waited for; the form then carries what
 * they are called and the key that opens them, which stands in no element of the page.
 */
import { Exhibits } from "./exhibits.ts";
import { fill, megabytes } from "./words.ts";

/** The first of the files that is over the limit, or null. */
export function tooLarge<F extends { size: number }>(files: Iterable<F>, limitBytes: number): F | null {
  for (const file of files) if (file.size > limitBytes) return file;
  return null;
}

/** Whole percent sent, 0..100; 0 while the total is not known. */
export function percent(sent: number, total: number): number {
  return total > 0 ? Math.min(100, Math.floor((sent / total) * 100)) : 0;
}

type Words = "tooLarge" | "sending" | "received" | "failed";

class Upload {
  private readonly form: HTMLFormElement;
  private readonly panel: HTMLElement;
  private readonly exhibits: Exhibits | null;
  private busy = false;
  private waiting: HTMLElement | null | false = false;

  constructor(form: HTMLFormElement, panel: HTMLElement) {
    this.form = form;
    this.panel = panel;
    this.exhibits = Exhibits.of(form);
    if (this.exhibits) this.exhibits.changed = () => this.goOn();
  }

  start(): void {
    for (const field of this.fields()) field.addEventListener("change", () => this.check(field));
    this.form.addEventListener("submit", (event) => this.submit(event));
  }

  private fields(): HTMLInputElement[] {
    return Array.from(this.form.querySelectorAll<HTMLInputElement>('input[type="file"]'));
  }

  private words(name: Words, values: Record<string, string | number> = {}): string {
    const key = `words${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return fill(this.form.dataset[key] ?? "", values);
  }

  /** True if the field's files may be sent; otherwise the reason stands beside the field. */
  private check(field: HTMLInputElement): boolean {
    const limit = Number(field.dataset["maxBytes"] ?? "Infinity");
    const file = tooLarge(field.files ?? [], limit);
    const place = field.closest(".field")?.querySelector<HTMLElement>("[data-file-error]");
    if (place) {
      place.hidden = file === null;
      place.textContent = file
        ? this.words("tooLarge", { size: megabytes(file.size), limit: megabytes(limit) })
        : "";
    }
    field.toggleAttribute("aria-invalid", false);
    if (file) field.setAttribute("aria-invalid", "true");
    return file === null;
  }

  private submit(event: SubmitEvent): void {
    if (this.busy) {
      event.preventDefault();
      return;
    }
    const wrong = this.fields().find((field) => !this.check(field));
    if (wrong) {
      event.preventDefault();
      wrong.focus();
      return;
    }
    const sealed = this.exhibits?.size ?? 0;
    if (!sealed && !this.fields().some((field) => (field.files?.length ?? 0) > 0)) return;
    event.preventDefault();
    this.waiting = event.submitter;
    this.setBusy(true);
    this.panel.focus();
    this.goOn();
  }

  /** Send the form that was asked to be sent, once its files are there. */
  private goOn(): void {
    if (this.waiting === false) return;
    const standing = this.exhibits?.standing ?? "ready";
    if (standing === "under way") this.show(this.exhibits?.percent ?? 0);
    else if (standing === "ready") {
      const submitter = this.waiting;
      this.waiting = false;
      this.send(submitter);
    } else {
      this.waiting = false;
      this.setBusy(false);
      this.exhibits?.showStuck();
    }
  }

  private send(submitter: HTMLElement | null): void {
    const body = new FormData(this.form);
    if (submitter instanceof HTMLButtonElement && submitter.name) {
      body.append(submitter.name, submitter.value);
    }
    this.exhibits?.fillIn(body);
    const request = new XMLHttpRequest();
    request.open("POST", this.form.action);
    request.upload.addEventListener("progress", ({ loaded, total }) => this.show(percent(loaded, total)));
    request.addEventListener("load", () => this.answer(request));
    request.addEventListener("error", () => this.fail());
    request.addEventListener("timeout", () => this.fail());
    request.addEventListener("abort", () => this.fail());
    this.show(0);
    request.send(body);
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.panel.hidden = !busy;
    for (const button of this.form.querySelectorAll<HTMLButtonElement>('button[type="submit"]')) {
      button.setAttribute("aria-disabled", String(busy));
    }
  }

  private show(done: number): void {
    const bar = this.panel.querySelector("progress");
    if (bar) bar.value = done;
    const text = this.panel.querySelector<HTMLElement>("[data-sending-text]");
    if (!text) return;
    const words = done < 100 ? this.words("sending", { percent: done }) : this.words("received");
    if (text.textContent !== words) text.textContent = words;
  }

  private answer(request: XMLHttpRequest): void {
    const isPage = request.getResponseHeader("Content-Type")?.startsWith("text/html") ?? false;
    if (!isPage || request.responseText === "") {
      this.fail();
      return;
    }
    // A receipt is shown once and has no address of its own, so it is not fetched a second time.
    this.exhibits?.end();
    history.replaceState(null, "", request.responseURL);
    document.open();
    document.write(request.responseText);
    document.close();
    window.scrollTo(0, 0);
  }

  private fail(): void {
    this.setBusy(false);
    this.panel.hidden = false;
    const text = this.panel.querySelector<HTMLElement>("[data-sending-text]");
    if (text) text.textContent = this.words("failed");
    const bar = this.panel.querySelector("progress");
    if (bar) bar.value = 0;
  }
}

export function startUpload(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-upload]")) {
    const panel = form.querySelector<HTMLElement>("[data-sending]");
    if (panel) new Upload(form, panel).start();
  }
}
