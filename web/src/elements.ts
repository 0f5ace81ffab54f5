/**
 * What the laws ask for, kept current while a report is written.
 *
 * The server writes every element with the facts that give it (`data-ways`: alternatives between
 * "|", facts between spaces) and how it stands; this only repeats that. Nothing is sent.
 */

export type Facts = ReadonlySet<string>;

/** Is an element given? `ways` is the attribute: no way at all is never given. */
export function given(ways: string, facts: Facts): boolean {
  if (ways === "") return false;
  return ways.split("|").some((way) => way.split(" ").every((fact) => facts.has(fact)));
}

/** Does a fact make an element unnecessary? */
export function waived(words: string, facts: Facts): boolean {
  return words.split(" ").some((fact) => fact !== "" && facts.has(fact));
}

// What reports/places.py takes for more than words, roughly; the server reads it with more care.
const EXACT = [
  /(https?:\/\/|tg:)\S/i,
  /(^|\s)[^\s@/]+\.[a-z]{2,}(:\d+)?\/\S/i,
  /^[^\s@/]+\.[a-z]{2,}$/i,
  /^(@[\w.]{2,}|[\w.]{2,32}#\d{4})$/,
  /^(-100\d{5,}|\d{15,20})([/_ -]\d+)*$/,
  /^(instagram|insta|ig|인스타|인스타그램|twitter|x|트위터|엑스|推特|telegram|tg|텔레그램|텔레|电报|纸飞机)\s*([:：]\s*@?|@)[\w.]{2,32}$/i,
];

/** Could somebody else find a place of this block with it alone? */
export function exact(block: string): boolean {
  const lines = block.split(/\r\n|\r|\n/).map((line) => line.normalize("NFKC").trim());
  return lines.some((line) => EXACT.some((pattern) => pattern.test(line)));
}

/** What the form holds at this moment, in the words of law/data/request_fields.json. */
export function factsOf(form: HTMLFormElement): Set<string> {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? "").trim();
  const files = data.getAll("files").some((file) => file instanceof File && file.size > 0);
  const filer = text("filer");
  const harms = data.getAll("harms").length > 0;
  const held: Record<string, boolean> = {
    code: true,
    declared: data.has("declared"),
    signed: text("signature") !== "",
    standing: filer === "" || filer === "self" || text("authority") !== "",
    place: text("locations") !== "",
    exact_place: exact(text("locations")),
    picture: files || data.has("kept") || form.querySelector("[data-picture]") !== null,
    told: text("told") !== "" || harms,
    kind: harms || data.getAll("shows").length > 0,
    sexual: data.getAll("shows").includes("sexual"),
    contact: text("contact") !== "",
    email: /[^@\s]@|@[^@\s]/.test(text("contact")),
    minor: text("age") === "under_18",
  };
  return new Set(Object.keys(held).filter((name) => held[name]));
}

function show(regime: HTMLElement, facts: Facts): void {
  let missing = false;
  for (const item of regime.querySelectorAll<HTMLElement>("[data-ways]")) {
    const there = given(item.dataset["ways"] ?? "", facts);
    item.dataset["given"] = there ? "yes" : "no";
    const said = item.querySelector<HTMLElement>("[data-said]");
    if (said) said.textContent = said.dataset[there ? "wordsYes" : "wordsNo"] ?? "";
    const needed = "needed" in item.dataset && !waived(item.dataset["waived"] ?? "", facts);
    missing ||= needed && !there;
  }
  regime.dataset["state"] = missing ? "missing" : "complete";
}

export function startElements(root: ParentNode): void {
  for (const list of root.querySelectorAll<HTMLElement>("form [data-elements]")) {
    const form = list.closest("form");
    if (!form) continue;
    const tell = (): void => {
      const facts = factsOf(form);
      for (const regime of list.querySelectorAll<HTMLElement>("[data-regime]")) show(regime, facts);
    };
    form.addEventListener("input", tell);
    form.addEventListener("change", tell);
    tell();
  }
}
