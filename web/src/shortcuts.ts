/**
 * Single keys on a page: whatever has `data-key="d"` is done or gone to by pressing d.
 *
 * They work only where no field has the focus, and can be switched off (WCAG 2.1.4); the choice is
 * kept in this browser, one for queue and case. `?` shows the list, which is made from the elements that have a key.
 */
import { KEYS } from "./queue.ts";

export type Press = {
  key: string;
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
};

/** The key in Latin letters, whatever script the keyboard writes; "" with a modifier. */
export function letterOf(press: Press): string {
  if (press.ctrlKey || press.altKey || press.metaKey) return "";
  if (press.key === "?") return "?";
  if (/^[a-z]$/i.test(press.key)) return press.key.toLowerCase();
  // Hangul, pinyin in composition and the like: by where the key lies.
  const placed = /^Key([A-Z])$/.exec(press.code);
  return placed?.[1] && press.key.length === 1 ? placed[1].toLowerCase() : "";
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

function stored(): boolean {
  try {
    return window.localStorage.getItem(KEYS) !== "off";
  } catch {
    return true;
  }
}

function store(on: boolean): void {
  try {
    if (on) window.localStorage.removeItem(KEYS);
    else window.localStorage.setItem(KEYS, "off");
  } catch {
    // A browser that keeps nothing: the choice holds for this page.
  }
}

class Shortcuts {
  private readonly dialog: HTMLDialogElement;
  private on = stored();

  constructor(dialog: HTMLDialogElement) {
    this.dialog = dialog;
  }

  start(): void {
    this.list();
    this.mark();
    for (const button of document.querySelectorAll<HTMLElement>("[data-shortcuts-open]")) {
      button.hidden = false;
      button.addEventListener("click", () => this.dialog.showModal());
    }
    const box = this.dialog.querySelector<HTMLInputElement>("[data-shortcuts-on]");
    if (box) {
      box.checked = this.on;
      box.addEventListener("change", () => {
        this.on = box.checked;
        store(this.on);
        this.mark();
      });
    }
    document.addEventListener("keydown", (event) => this.press(event));
  }

  private mark(): void {
    document.documentElement.classList.toggle("keys-on", this.on);
  }

  private list(): void {
    const rows = this.dialog.querySelector("[data-shortcuts-rows]");
    const model = rows?.querySelector("tr");
    for (const one of document.querySelectorAll<HTMLElement>("[data-key]")) {
      const row = model?.cloneNode(true);
      if (!(row instanceof HTMLElement)) return;
      const [key, what] = [row.querySelector("kbd"), row.querySelector("td:last-child")];
      if (key) key.textContent = one.dataset["key"] ?? "";
      const words = one.querySelector("[data-key-words]") ?? one;
      if (what) what.textContent = words.textContent?.replace(/\s+/g, " ").trim() ?? "";
      rows?.append(row);
    }
  }

  private press(event: KeyboardEvent): void {
    if (!this.on || event.repeat || event.isComposing) return;
    if (event.defaultPrevented || this.dialog.open || typing(event.target)) return;
    const letter = letterOf(event);
    if (letter === "?") {
      event.preventDefault();
      this.dialog.showModal();
      return;
    }
    const found = letter && document.querySelector<HTMLElement>(`[data-key="${letter}"]`);
    if (!found) return;
    event.preventDefault();
    this.follow(found);
  }

  /** A button is reached, not pressed: taking a case is a deliberate act. A link is followed. */
  private follow(found: HTMLElement): void {
    if (found instanceof HTMLButtonElement) {
      found.focus();
      return;
    }
    found.click();
    const place = found.getAttribute("href") ?? "";
    if (!place.startsWith("#")) return;
    const heading = document.getElementById(place.slice(1));
    const first = heading
      ?.closest("section")
      ?.querySelector<HTMLElement>("[data-veil-hold]:not([hidden]), textarea, input[type=radio]");
    const wanted = found.dataset["keyField"] === undefined ? heading : (first ?? heading);
    if (!wanted) return;
    if (wanted === heading) heading.tabIndex = -1;
    wanted.focus({ preventScroll: wanted === heading });
  }
}

export function startShortcuts(root: ParentNode): void {
  const dialog = root.querySelector<HTMLDialogElement>("[data-shortcuts]");
  // Browsers before 2022 have no dialog; nothing on the page needs the keys.
  if (dialog && typeof dialog.showModal === "function") new Shortcuts(dialog).start();
}
