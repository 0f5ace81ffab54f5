/**
 * What a file is, told from its first bytes: the same answers as `haechi.media.kind.sniff`.
 * tests/vectors/kinds.json holds both to them.
 */

export const HEAD_BYTES = 4096;

const MAGIC: readonly (readonly [string, string])[] = [
  ["\xff\xd8\xff", "jpeg"],
  ["\x89PNG\r\n\x1a\n", "png"],
  ["GIF87a", "gif"],
  ["GIF89a", "gif"],
  ["II*\0", "tiff"],
  ["MM\0*", "tiff"],
  ["II+\0", "tiff"],
  ["MM\0+", "tiff"],
];
const AVIF = ["avif", "avis"];
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"];
const STILL = ["mif1", "msf1"];
const BMP_HEADERS = [12, 16, 40, 52, 56, 64, 108, 124];

/** The kind, or null for no picture or video format we know. */
export function sniff(bytes: Uint8Array): string | null {
  const head = bytes.subarray(0, HEAD_BYTES);
  // One character a byte, so that magic numbers compare as text.
  const text = Array.from(head, (byte) => String.fromCharCode(byte)).join("");
  for (const [magic, kind] of MAGIC) if (text.startsWith(magic)) return kind;
  return riff(text) ?? boxes(head, text) ?? matroska(text) ?? bmp(head, text) ?? mpegts(head);
}

function riff(text: string): string | null {
  if (!text.startsWith("RIFF")) return null;
  const form = text.slice(8, 12);
  return form === "WEBP" ? "webp" : form === "AVI " ? "avi" : null;
}

function boxes(head: Uint8Array, text: string): string | null {
  const box = text.slice(4, 8);
  if (["moov", "mdat", "wide"].includes(box)) return "mov";
  if (box !== "ftyp") return null;
  const length = Math.min(new DataView(head.buffer, head.byteOffset, 4).getUint32(0), head.length);
  const major = text.slice(8, 12);
  const compatible: string[] = [];
  for (let at = 16; at < length - 3; at += 4) compatible.push(text.slice(at, at + 4));
  const still = STILL.includes(major);
  if (AVIF.includes(major) || (still && compatible.some((one) => AVIF.includes(one)))) return "avif";
  if (HEIC.includes(major) || still) return "heic";
  return major === "qt  " ? "mov" : "mp4";
}

function matroska(text: string): string | null {
  if (!text.startsWith("\x1a\x45\xdf\xa3")) return null;
  return text.slice(0, 64).includes("\x42\x82\x84webm") ? "webm" : "mkv";
}

function bmp(head: Uint8Array, text: string): string | null {
  if (!text.startsWith("BM") || head.length < 18) return null;
  const header = new DataView(head.buffer, head.byteOffset + 14, 4).getUint32(0, true);
  return BMP_HEADERS.includes(header) ? "bmp" : null;
}

function mpegts(head: Uint8Array): string | null {
  for (const [start, step] of [[0, 188], [4, 192]] as const) {
    const marks: number[] = [];
    for (let at = start; at < head.length && marks.length < 5; at += step) marks.push(head[at] ?? 0);
    if (marks.length >= 3 && marks.every((mark) => mark === 0x47)) return "mpegts";
  }
  return null;
}
