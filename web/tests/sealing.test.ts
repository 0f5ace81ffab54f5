import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { Envelope, Unreadable, kindOf } from "../src/envelope.ts";
import { share } from "../src/exhibits.ts";
import { type Answer, type Ask, Forgotten, Refused, Sending, backOff } from "../src/sending.ts";
import { sniff } from "../src/sniff.ts";

const PIECE = 100_000;
const IDENTITY = await generateX25519Identity();
const RECIPIENT = await identityToRecipient(IDENTITY);

const bytes = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 255);

async function opened(sealed: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(IDENTITY);
  return decrypter.decrypt(sealed);
}

/** What the public site does with an upload, and a connection to it that breaks as told. */
class Site {
  readonly log: string[] = [];
  held = new Uint8Array(0);
  finished = false;
  private readonly breaks: ((at: number) => "before" | "after" | null);

  constructor(breaks: (at: number) => "before" | "after" | null) {
    this.breaks = breaks;
  }

  readonly ask: Ask = async (method, path, headers, body) => {
    const broken = this.breaks(this.log.length);
    this.log.push(`${method} ${headers["Upload-Offset"] ?? ""}`);
    if (broken === "before") throw new Error("no connection");
    const answer = this.answer(method, path, headers, body);
    if (broken === "after") throw new Error("the answer was lost");
    return answer;
  };

  private answer(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Answer {
    if (path === "") return { status: 201, told: { upload: "u", piece_bytes: PIECE } };
    if (method === "PUT") {
      if (Number(headers["Upload-Offset"]) !== this.held.length) {
        return { status: 409, told: { code: "upload.wrong_offset", received: this.held.length } };
      }
      this.held = new Uint8Array(Buffer.concat([this.held, body ?? new Uint8Array(0)]));
    }
    if (method === "POST") this.finished = true;
    return { status: 200, told: { received: this.held.length, finished: this.finished } };
  }
}

async function sent(site: Site, data: Uint8Array<ArrayBuffer>): Promise<Envelope> {
  const envelope = await Envelope.of(new Blob([data]), RECIPIENT);
  await new Sending(site.ask, async () => undefined, () => undefined).send(envelope, () => undefined);
  return envelope;
}

for (const size of [1, 65_536, 65_537, 350_001, 1_100_000]) {
  test(`an envelope of ${size} bytes opens, and is as long as it says`, async () => {
    const envelope = await Envelope.of(new Blob([bytes(size)]), RECIPIENT);
    const pieces: Uint8Array[] = [];
    for (let held = 0; held < envelope.length; ) {
      const piece = await envelope.piece(PIECE);
      assert.ok(piece.length === PIECE || held + piece.length === envelope.length);
      pieces.push(piece);
      held += piece.length;
    }
    const whole = Buffer.concat(pieces);
    assert.equal(whole.length, envelope.length);
    assert.deepEqual(Buffer.from(await opened(whole)), Buffer.from(bytes(size)));
    assert.equal(envelope.sha256(), createHash("sha256").update(bytes(size)).digest("hex"));
    assert.match(whole.subarray(0, 32).toString("latin1"), /^age-encryption.org\/v1\n-> X25519 $/);
  });
}

test("B14: whatever breaks, before or after the server wrote, what arrives opens", async () => {
  for (const kind of ["before", "after"] as const) {
    for (const which of [3, 4, 5]) {
      const site = new Site((at) => (at % which === which - 1 ? kind : null));
      const data = bytes(450_000);
      await sent(site, data);
      assert.ok(site.finished);
      assert.deepEqual(Buffer.from(await opened(site.held)), Buffer.from(data));
    }
  }
});

test("nothing that was acknowledged is sent again", async () => {
  const site = new Site((at) => (at === 2 ? "after" : null));
  await sent(site, bytes(250_000));
  assert.deepEqual(
    site.log,
    ["POST ", "PUT 0", `PUT ${PIECE}`, "GET ", `PUT ${2 * PIECE}`, "POST "],
  );
});

test("a refusal is told in the server's words, and not tried again", async () => {
  const refusing: Ask = async () => ({
    status: 413,
    told: { code: "upload.too_long", words: "Too long." },
  });
  const envelope = await Envelope.of(new Blob([bytes(10)]), RECIPIENT);
  const sending = new Sending(refusing, async () => assert.fail("waited"), () => undefined);
  await assert.rejects(
    sending.send(envelope, () => undefined),
    (error: unknown) => error instanceof Refused && error.words === "Too long.",
  );
});

test("a server that forgot the upload has it begun anew", async () => {
  let asked = 0;
  const forgetful: Ask = async () =>
    (asked += 1) === 1
      ? { status: 201, told: { upload: "u", piece_bytes: PIECE } }
      : { status: 404, told: { code: "upload.unknown" } };
  const envelope = await Envelope.of(new Blob([bytes(10)]), RECIPIENT);
  const sending = new Sending(forgetful, async () => undefined, () => undefined);
  await assert.rejects(sending.send(envelope, () => undefined), Forgotten);
});

test("an error page of a proxy and a busy server are waited for, each time longer", async () => {
  const waits: number[] = [];
  const answers: Answer[] = [
    { status: 502, told: null },
    { status: 409, told: { code: "upload.busy" } },
    { status: 503, told: { code: "blob.unavailable" } },
  ];
  const site = new Site(() => null);
  const ask: Ask = async (...request) => answers.shift() ?? site.ask(...request);
  const envelope = await Envelope.of(new Blob([bytes(10)]), RECIPIENT);
  const wait = async (attempt: number): Promise<void> => void waits.push(backOff(attempt));
  await new Sending(ask, wait, () => undefined).send(envelope, () => undefined);
  assert.deepEqual(waits, [1, 2, 4]);
  assert.deepEqual([backOff(6), backOff(60)], [30, 30]);
});

test("a file that became shorter is unreadable", async () => {
  const gone = {
    size: 10,
    slice: () => new Blob([bytes(4)]),
  } as unknown as Blob;
  const envelope = await Envelope.of(gone, RECIPIENT);
  await assert.rejects(envelope.piece(PIECE), Unreadable);
});

test("kinds are told as the server tells them", async () => {
  const vectors = new URL("../../tests/vectors/kinds.json", import.meta.url);
  const known = JSON.parse(readFileSync(vectors, "utf8")) as { head: string; kind: string | null }[];
  assert.ok(known.length > 20);
  for (const { head, kind } of known) assert.equal(sniff(Buffer.from(head, "hex")), kind, head);
  assert.equal(await kindOf(new Blob([bytes(9)])), null);
});

test("the share of a list is 100 only when all of it is done", () => {
  assert.equal(share([{ sent: 100, total: 100, state: "sending" }]), 99);
  assert.equal(share([{ sent: 0, total: 100, state: "done" }]), 100);
  assert.equal(share([{ sent: 50, total: 100, state: "sending" }, { sent: 0, total: 100, state: "queued" }]), 25);
});
