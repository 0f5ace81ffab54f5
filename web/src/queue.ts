/**
 * The open queue: told by the server when it changed (server-sent events), and driven by keys.
 *
 * A list never moves under somebody's pointer or focus: then a quiet button offers the change.
 */

/** Where the choice against single keys is kept; there is nothing where they are wanted. */
export const KEYS = "haechi-queue-keys";
/** Not all who have it open ask in the same moment. */
const SPREAD_MS = 1500;

/** Which row comes `step` after the one with focus; the first where none has it. */
export function rowAfter(count: number, current: number, step: number): number {
  if (count === 0) return -1;
  if (current < 0) return 0;
  return Math.min(count - 1, Math.max(0, current + step));
}

/** May a key be taken as a command, or is somebody writing or using the browser's own keys? */
export function isCommand(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  const at = event.target;
  if (!(at instanceof HTMLElement)) return true;
  return !at.isContentEditable && !/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
}

async function fresh(): Promise<Document | null> {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  // A login that has ended leads elsewhere; the page stays as it is until somebody reloads it.
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Put the new lists in place of the old ones; `true` where there was something to put. */
async function show(lists: HTMLElement, opened: () => void): Promise<boolean> {
  const found = (await fresh())?.querySelector<HTMLElement>("[data-live-lists]");
  if (!found) return false;
  const open = new Set(
    [...lists.querySelectorAll("[data-row]:has(details[open])")].map((row) =>
      row.getAttribute("data-row"),
    ),
  );
  lists.replaceChildren(...found.childNodes);
  for (const row of lists.querySelectorAll<HTMLElement>("[data-row]")) {
    if (open.has(row.getAttribute("data-row"))) row.querySelector("details")?.setAttribute("open", "");
  }
  opened();
  return true;
}

export function startLive(root: Document, clocks: (root: ParentNode) => void): void {
  const place = root.querySelector<HTMLElement>("[data-live]");
  const lists = place?.querySelector<HTMLElement>("[data-live-lists]");
  const button = place?.querySelector<HTMLButtonElement>("[data-live-show]");
  const state = place?.querySelector<HTMLElement>("[data-live-state]");
  const address = place?.dataset["live"];
  if (!place || !lists || !button || !state || !address) return;
  let waits = false;

  const put = async (): Promise<void> => {
    waits = false;
    button.hidden = true;
    await show(lists, () => clocks(lists));
  };
  const changed = (): void => {
    if (waits) return;
    waits = true;
    window.setTimeout(() => {
      if (lists.matches(":hover, :focus-within")) button.hidden = false;
      else void put();
    }, Math.random() * SPREAD_MS);
  };
  const say = (words: string | undefined): void => {
    if (words && state.textContent !== words) state.textContent = words;
  };
  const source = new EventSource(address);
  source.addEventListener("open", () => say(state.dataset["wordsLive"]));
  source.addEventListener("changed", changed);
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) say(state.dataset["wordsOff"]);
  });
  button.addEventListener("click", () => void put());
  lists.addEventListener("mouseleave", () => {
    if (!button.hidden && !lists.matches(":focus-within")) void put();
  });
  // A page that is left gives its place to another at once.
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

export function startKeys(root: Document): void {
  const on = root.querySelector<HTMLInputElement>("[data-keys-on]");
  if (!on) return;
  on.checked = localStorage.getItem(KEYS) !== "off";
  on.addEventListener("change", () => {
    if (on.checked) localStorage.removeItem(KEYS);
    else localStorage.setItem(KEYS, "off");
  });
  root.addEventListener("keydown", (event) => {
    if (!on.checked || !isCommand(event)) return;
    const rows = [...root.querySelectorAll<HTMLElement>("[data-row]")];
    const current = rows.findIndex((row) => row.contains(root.activeElement));
    if (event.key === "j" || event.key === "k") {
      const next = rows[rowAfter(rows.length, current, event.key === "j" ? 1 : -1)];
      next?.querySelector<HTMLElement>("a")?.focus();
    } else if (event.key === "w" && current >= 0) {
      const why = rows[current]?.querySelector("details");
      why?.toggleAttribute("open");
    } else if (event.key === "n" || event.key === "/") {
      const at = root.querySelector<HTMLElement>(`[data-key="${event.key}"]`);
      if (event.key === "n") at?.click();
      else at?.focus();
    } else return;
    event.preventDefault();
  });
}
