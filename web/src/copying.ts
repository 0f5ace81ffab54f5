/** Buttons that copy a value, `data-copy`; on addresses where the browser offers the clipboard. */

const SHOWN_MS = 2500;

export function startCopying(root: ParentNode): void {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    const usual = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => {
      void navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(() => {
        button.textContent = button.dataset["wordsCopied"] ?? usual;
        window.setTimeout(() => (button.textContent = usual), SHOWN_MS);
      });
    });
  }
}
