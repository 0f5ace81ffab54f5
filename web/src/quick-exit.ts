/**
 * Leave at once: the link with `data-exit`, or one press of Escape.
 *
 * The page is hidden and its entry in the history is replaced, so "back" does not return to it.
 * With scripts off the link is an ordinary link with rel="noreferrer".
 */

/** Is this key press a wish to leave? Escape also ends a half-typed Korean or Chinese syllable. */
export function asksToLeave(
  press: Pick<KeyboardEvent, "key" | "isComposing" | "keyCode" | "defaultPrevented">,
): boolean {
  const composing = press.isComposing || press.keyCode === 229;
  return press.key === "Escape" && !composing && !press.defaultPrevented;
}

function leave(address: string, title: string): void {
  document.documentElement.classList.add("is-leaving");
  document.title = title;
  window.location.replace(address);
}

export function startQuickExit(root: Document): void {
  const link = root.querySelector<HTMLAnchorElement>("a[data-exit]");
  if (!link) return;
  const go = (): void => leave(link.dataset["exitUrl"] ?? link.href, link.dataset["exitTitle"] ?? "");

  link.addEventListener("click", (event) => {
    event.preventDefault();
    go();
  });
  root.addEventListener("keydown", (event) => {
    if (asksToLeave(event)) {
      event.preventDefault();
      go();
    }
  });
}
