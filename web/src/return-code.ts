/**
 * Keep the return code: copy it, print it, save it as a small text file.
 *
 * Everything happens in the browser. Without scripts saving is a form that the server answers with
 * the same file, and asking whether the code is kept is another.
 */

/** The code as one line: the words of the list, one space between them. */
export function codeText(words: readonly string[]): string {
  return words
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .join(" ");
}

/** What the saved file holds. It starts with a byte order mark, so that old editors read Korean. */
export function fileText(code: string, note: string): string {
  return `\uFEFF${note.trim()}\r\n\r\n${code}\r\n`.replace(/^\uFEFF\r\n\r\n/, "\uFEFF");
}

function save(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the file after this turn; giving the memory back at once would lose it.
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function reveal(element: HTMLElement | null, act: () => void): void {
  if (!element) return;
  element.hidden = false;
  element.addEventListener("click", (event) => {
    event.preventDefault();
    act();
  });
}

function holdBack(panel: HTMLElement, say: (words: string | undefined) => void): void {
  const box = panel.querySelector<HTMLInputElement>("input[data-code-kept]");
  const onward = document.querySelector<HTMLElement>("[data-code-continue]");
  if (!box || !onward) return;

  const show = (): void => onward.setAttribute("aria-disabled", String(!box.checked));
  box.addEventListener("change", () => {
    show();
    say("");
  });
  onward.addEventListener("click", (event) => {
    if (box.checked) return;
    event.preventDefault();
    say(panel.dataset["wordsRemind"]);
    box.focus();
  });
  show();
}

export function startReturnCode(root: ParentNode): void {
  const panel = root.querySelector<HTMLElement>("[data-return-code]");
  const list = panel?.querySelector<HTMLElement>("[data-code-words]");
  if (!panel || !list) return;
  const code = codeText(Array.from(list.children, (item) => item.textContent ?? ""));
  const status = panel.querySelector<HTMLElement>("[data-code-status]");
  const say = (words: string | undefined): void => {
    if (status) status.textContent = words ?? "";
  };
  const find = (name: string): HTMLElement | null => panel.querySelector(`[data-code-${name}]`);

  // Browsers offer the clipboard on secure addresses only; elsewhere the button stays hidden.
  if (navigator.clipboard) {
    reveal(find("copy"), () => {
      navigator.clipboard.writeText(code).then(
        () => say(panel.dataset["wordsCopied"]),
        () => say(panel.dataset["wordsNotCopied"]),
      );
    });
  }
  reveal(find("print"), () => window.print());
  reveal(find("save"), () => {
    save(fileText(code, panel.dataset["fileNote"] ?? ""), panel.dataset["fileName"] ?? "note.txt");
    say(panel.dataset["wordsSaved"]);
  });
  holdBack(panel, say);
}
