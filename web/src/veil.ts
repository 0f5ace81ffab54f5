/**
 * Hold to look: media at the desk is blurred and grey, and shown only while the button is held
 * with the pointer or with the space bar (B25).
 *
 * The first lift of an item is posted to the server before its media is asked for. If the server
 * says no, nothing is loaded. Letting go, leaving the window or changing the tab covers it again.
 */

export type Asked = "not yet" | "asking" | "allowed" | "refused" | "rest";

const TOO_MUCH = 429;

class Veil {
  private readonly figure: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly media: HTMLImageElement | HTMLVideoElement;
  private asked: Asked = "not yet";
  private held = false;

  constructor(
    figure: HTMLElement,
    button: HTMLButtonElement,
    media: HTMLImageElement | HTMLVideoElement,
  ) {
    this.figure = figure;
    this.button = button;
    this.media = media;
  }

  start(): void {
    const { button } = this;
    button.hidden = false;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.hold();
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"] as const) {
      button.addEventListener(end, () => this.letGo());
    }
    button.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) this.hold();
    });
    button.addEventListener("keyup", (event) => {
      if (event.key === " ") this.letGo();
    });
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    window.addEventListener("blur", () => this.letGo());
    document.addEventListener("visibilitychange", () => this.letGo());
  }

  private hold(): void {
    this.held = true;
    if (this.asked === "allowed") this.lift();
    else if (this.asked !== "asking") void this.ask();
  }

  private letGo(): void {
    this.held = false;
    delete this.figure.dataset["lifted"];
    this.button.setAttribute("aria-pressed", "false");
    if (this.media instanceof HTMLVideoElement) this.media.pause();
  }

  private lift(): void {
    const source = this.figure.dataset["src"];
    if (source && this.media.getAttribute("src") !== source) this.media.src = source;
    this.figure.dataset["lifted"] = "";
    this.button.setAttribute("aria-pressed", "true");
    if (this.media instanceof HTMLVideoElement) {
      this.media.muted = true;
      this.media.play().catch(() => undefined);
    }
  }

  private async ask(): Promise<void> {
    this.asked = "asking";
    this.asked = await this.answer();
    const { wordsRefused, wordsRest } = this.figure.dataset;
    this.say(this.asked === "allowed" ? "" : this.asked === "rest" ? wordsRest : wordsRefused);
    if (this.asked === "allowed" && this.held) this.lift();
  }

  private async answer(): Promise<Asked> {
    const address = this.figure.dataset["liftUrl"];
    const token = this.figure.closest<HTMLElement>("[data-csrf]")?.dataset["csrf"] ?? "";
    if (!address) return "refused";
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "X-CSRFToken": token },
        redirect: "error",
      });
      if (answer.ok) return "allowed";
      return answer.status === TOO_MUCH ? "rest" : "refused";
    } catch {
      return "refused";
    }
  }

  private say(words: string | undefined): void {
    const place = this.figure.querySelector<HTMLElement>("[data-veil-status]");
    if (place) place.textContent = words ?? "";
  }
}

export function startVeil(root: ParentNode): void {
  for (const figure of root.querySelectorAll<HTMLElement>("[data-veil]")) {
    const button = figure.querySelector<HTMLButtonElement>("[data-veil-hold]");
    const media = figure.querySelector<HTMLImageElement | HTMLVideoElement>("[data-veil-media]");
    if (button && media) new Veil(figure, button, media).start();
  }
}
