/** SHA-256 of short texts, at once: the browser's own answers later, and not on every page. */

const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
  // The fractional parts of the cube and square roots of the first primes (FIPS 180-4, 4.2.2, 5.3.3).
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = (Math.sqrt(n) % 1) * 2 ** 32;
    K[found] = (Math.cbrt(n) % 1) * 2 ** 32;
    found += 1;
  }
}
const words = new Uint32Array(64);

function turned(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits));
}

function block(state: Uint32Array, view: DataView, offset: number): void {
  for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(offset + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const a = words[i - 15]!;
    const b = words[i - 2]!;
    const first = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
    const second = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
    words[i] = words[i - 16]! + first + words[i - 7]! + second;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number, number, number, number, number, number, number, number,
  ];
  for (let i = 0; i < 64; i += 1) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + words[i]!) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i += 1) state[i] = state[i]! + sums[i]!;
}

/** The eight words of the digest of an ASCII text. */
export function sha256(text: string): Uint32Array {
  const length = text.length;
  const data = new Uint8Array(((length + 8) >> 6 << 6) + 64);
  for (let i = 0; i < length; i += 1) data[i] = text.charCodeAt(i);
  data[length] = 0x80;
  const view = new DataView(data.buffer);
  view.setUint32(data.length - 4, length * 8);
  const state = START.slice();
  for (let offset = 0; offset < data.length; offset += 64) block(state, view, offset);
  return state;
}

/** How many bits a digest begins with that are zero, up to 32. */
export function zeroBits(digest: Uint32Array): number {
  return Math.clz32(digest[0]!);
}
