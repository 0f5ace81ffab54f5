/** How many characters a text may still have. The server says it too, when it was too many. */
import { fill } from "./words.ts";

/** Characters as the server counts them: code points, and a line break as two, as a form sends it. */
export function lengthSent(text: string): number {
  return [...text.replace(/\r?\n/g, "\r\n")].length;
}

export function startCounted(root: Document): void {
  for (const field of root.querySelectorAll<HTMLTextAreaElement>("textarea[data-counted]")) {
    const pattern = field.dataset["counted"];
    const most = field.maxLength;
    if (!pattern || most < 0) continue;
    const said = root.createElement("p");
    said.className = "quiet small";
    const say = (): void => {
      said.textContent = fill(pattern, { number: Math.max(0, most - lengthSent(field.value)) });
    };
    field.after(said);
    field.addEventListener("input", say);
    say();
  }
}
