/**
 * "Add another": grows the list of addresses, one field each.
 *
 * Pasting several lines fills several fields. Without scripts a text area that takes one address a
 * line does the same; the server reads both, and the text area is hidden here while it is empty.
 */

/** The addresses in a pasted text, in order, without empty lines. */
export function addressesIn(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The template's markup for the item of that number, from 1. */
export function numbered(markup: string, number: number): string {
  return markup.replaceAll("__n__", String(number));
}

class Locations {
  private readonly box: HTMLElement;
  private readonly list: HTMLElement;
  private readonly template: HTMLTemplateElement;
  private readonly add: HTMLButtonElement;
  private readonly limit: number;
  private made: number;

  constructor(
    box: HTMLElement,
    list: HTMLElement,
    template: HTMLTemplateElement,
    add: HTMLButtonElement,
  ) {
    this.box = box;
    this.list = list;
    this.template = template;
    this.add = add;
    this.limit = Number(box.dataset["max"] ?? "50");
    this.made = list.childElementCount;
  }

  start(): void {
    this.add.hidden = false;
    this.add.addEventListener("click", () => this.grow()?.focus());
    this.list.addEventListener("click", (event) => this.remove(event));
    this.list.addEventListener("paste", (event) => this.paste(event));
    const plain = this.box.querySelector<HTMLElement>("[data-locations-plain]");
    if (plain && !plain.querySelector("textarea")?.value.trim()) plain.hidden = true;
    this.settle();
  }

  private grow(): HTMLInputElement | null {
    if (this.list.childElementCount >= this.limit) return null;
    this.made += 1;
    const holder = document.createElement("template");
    holder.innerHTML = numbered(this.template.innerHTML, this.made);
    const item = holder.content.firstElementChild;
    if (!item) return null;
    this.list.append(item);
    this.settle();
    return item.querySelector("input");
  }

  private remove(event: Event): void {
    const button = (event.target as Element).closest("[data-location-remove]");
    const item = button?.closest("[data-location]");
    if (!item) return;
    const before = item.previousElementSibling;
    item.remove();
    this.settle();
    (before?.querySelector("input") ?? this.add).focus();
  }

  private paste(event: ClipboardEvent): void {
    const field = event.target;
    const lines = addressesIn(event.clipboardData?.getData("text") ?? "");
    if (!(field instanceof HTMLInputElement) || field.value !== "" || lines.length < 2) return;
    event.preventDefault();
    field.value = lines[0] ?? "";
    let last: HTMLInputElement = field;
    for (const line of lines.slice(1)) {
      const next = this.grow();
      if (!next) break;
      next.value = line;
      last = next;
    }
    last.focus();
  }

  /** Numbers the items from 1 as they stand, and offers another while there is room. */
  private settle(): void {
    Array.from(this.list.children).forEach((item, at) => {
      const number = item.querySelector("[data-location-number]");
      if (number) number.textContent = String(at + 1);
    });
    this.add.hidden = this.list.childElementCount >= this.limit;
  }
}

export function startLocations(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-locations]")) {
    const list = box.querySelector<HTMLElement>("[data-locations-list]");
    const template = box.querySelector<HTMLTemplateElement>("template[data-location-template]");
    const add = box.querySelector<HTMLButtonElement>("[data-location-add]");
    if (list && template && add) new Locations(box, list, template, add).start();
  }
}
