/** Moments in UTC, told on the reader's own clock too, where that is another. */
import { fill } from "./words.ts";

/** "20:30", or with the day where that is another there; "" where both clocks agree. */
export function here(moment: Date, language: string, zone?: string): string {
  const on = (timeZone: string | undefined): string[] => {
    const parts = new Intl.DateTimeFormat("en-CA", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    }).formatToParts(moment);
    const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
    return [`${of("year")}-${of("month")}-${of("day")}`, `${of("hour")}:${of("minute")}`];
  };
  const [day, time] = on(zone);
  const [dayThere, timeThere] = on("UTC");
  if (day === dayThere && time === timeThere) return "";
  if (day === dayThere) return time ?? "";
  const weekday = new Intl.DateTimeFormat(language, { timeZone: zone, weekday: "short" });
  return `${weekday.format(moment)} ${time}`;
}

export function startMoments(root: ParentNode): void {
  for (const one of root.querySelectorAll<HTMLTimeElement>("[data-moment]")) {
    const moment = new Date(one.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const time = here(moment, document.documentElement.lang);
    // Words from the server may be on the same clock already.
    if (time && !one.textContent?.includes(time.slice(-5))) one.append(` · ${fill(one.dataset["wordsHere"] ?? "{time}", { time })}`);
  }
}
