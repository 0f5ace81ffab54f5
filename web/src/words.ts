/** Words come from the server, translated, in data attributes; scripts only fill in the numbers. */

/** `fill("{n} of {limit}", { n: 1, limit: 5 })` is `"1 of 5"`; a name without a value is left as it is. */
export function fill(pattern: string, values: Readonly<Record<string, string | number>>): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Bytes as people read them, rounded up: what is over a limit never reads as if it were at it. */
export function megabytes(bytes: number): string {
  const mb = bytes / (1024 * 1024);
  return mb >= 10 ? String(Math.ceil(mb)) : (Math.ceil(mb * 10) / 10).toFixed(1);
}
