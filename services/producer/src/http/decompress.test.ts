// Compressed bodies over real sockets.
import { describe, expect, test } from "bun:test";
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import type { Problem } from "@ingest/contract";
import { serveTestApp } from "../testing/serve.ts";
import { zstdFramesEnd } from "./zstd-frames.ts";

const EVENT = '{"event_type":"a"}';
const MIB = 1024 * 1024;

const encoders = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: (data: Buffer) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: zstdCompressSync,
};

function post(url: string, encoding: string, body: Bun.BodyInit): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", "content-encoding": encoding },
  });
}

test.each(Object.entries(encoders))("%s is decompressed", async (encoding, encode) => {
  await using served = serveTestApp();
  const body = new Uint8Array(encode(Buffer.from(EVENT)));
  expect((await post(`${served.url}/register_event`, encoding, body)).status).toBe(202);
  expect(served.delivery.events).toMatchObject([{ event_type: "a" }]);
});

test.each(Object.entries(encoders))("a %s bomb is 413, and is not decompressed", async (encoding, encode) => {
  await using served = serveTestApp({ maxBodyBytes: 100_000 });
  const bomb = new Uint8Array(encode(Buffer.alloc(64 * MIB)));
  const before = process.memoryUsage.rss();
  const body = bomb.length > 90_000 ? bomb.subarray(0, 90_000) : bomb;
  const response = await post(`${served.url}/register_events`, encoding, body);
  expect(response.status).toBe(413);
  expect(((await response.json()) as Problem).detail).toContain("decompressed");
  expect(process.memoryUsage.rss() - before).toBeLessThan(32 * MIB);
  expect(served.budget.used).toBe(0);
  expect((await post(`${served.url}/register_event`, "identity", EVENT)).status).toBe(202);
});

test.each(Object.keys(encoders))("a body that is not %s is 400", async (encoding) => {
  await using served = serveTestApp();
  for (const body of [EVENT, ""])
    expect((await post(`${served.url}/register_event`, encoding, body)).status).toBe(400);
});

const problemOf = async (response: Response) => (await response.json()) as Problem;
const lines = (n: number) => `{"event_type":"a","payload":{"n":${n}}}\n`;
/** Compresses to several blocks of each encoding. */
const MANY = Array.from({ length: 90 }, (_, n) => lines(n)).join("");

const allEncoders = { ...encoders, "deflate without zlib's header": deflateRawSync };
const nameOf = (name: string) => name.split(" ")[0]!;

describe.each(Object.entries(allEncoders))("%s", (name, encode) => {
  test("as NDJSON and as an array", async () => {
    await using served = serveTestApp();
    const array = `[${MANY.trim().replaceAll("\n", ",")}]`;
    for (const [body, type] of [
      [MANY, "application/x-ndjson"],
      [array, "application/json"],
    ] as const) {
      const response = await fetch(`${served.url}/register_events`, {
        method: "POST",
        body: new Uint8Array(encode(Buffer.from(body))),
        headers: { "content-type": type, "content-encoding": nameOf(name) },
      });
      expect(response.status).toBe(202);
    }
    expect(served.delivery.events).toHaveLength(180);
  });

  // The decoder of zstd took a body that broke off for a complete one: its last events were lost.
  test("truncated anywhere is 400, and no event of it is taken", async () => {
    await using served = serveTestApp();
    const whole = encode(Buffer.from(MANY));
    for (const length of [0, 3, 9, whole.length >> 1, whole.length - 4, whole.length - 1]) {
      const response = await post(
        `${served.url}/register_events`,
        nameOf(name),
        new Uint8Array(whole.subarray(0, length)),
      );
      expect(response.status).toBe(400);
      const { code, detail } = await problemOf(response);
      expect(code).toBe("bad_encoding");
      expect(detail).toBe(`The body is truncated: its ${nameOf(name)} stream is incomplete.`);
    }
    expect(served.delivery.taken).toEqual([]);
    expect(served.budget.used).toBe(0);
  });

  // What followed the end was dropped without a word.
  test.each(["\0", "garbage"])("followed by %j is 400, which names it", async (rest) => {
    await using served = serveTestApp();
    const body = new Uint8Array(Buffer.concat([encode(Buffer.from(EVENT)), Buffer.from(rest)]));
    const response = await post(`${served.url}/register_event`, nameOf(name), body);
    expect(response.status).toBe(400);
    const { code, detail } = await problemOf(response);
    expect(code).toBe("bad_encoding");
    expect(detail).toMatch(/^The body has (\d+ )?bytes after the end of its \w+ stream\.$/);
  });
});

test.each(["gzip", "zstd"] as const)("%s of several members is one body", async (encoding) => {
  await using served = serveTestApp();
  const encode = encoders[encoding];
  const members = [lines(1), "", lines(2).slice(0, 9), lines(2).slice(9)].map((text) =>
    encode(Buffer.from(text)),
  );
  const response = await fetch(`${served.url}/register_events`, {
    method: "POST",
    body: new Uint8Array(Buffer.concat(members)),
    headers: { "content-type": "application/x-ndjson", "content-encoding": encoding },
  });
  expect(response.status).toBe(202);
  expect(served.delivery.events.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a skippable frame of zstd is skipped", async () => {
  await using served = serveTestApp();
  const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const body = new Uint8Array(Buffer.concat([skippable, zstdCompressSync(EVENT)]));
  expect((await post(`${served.url}/register_event`, "zstd", body)).status).toBe(202);
});

test.each([
  { checksum: 1, size: 0 },
  { checksum: 1, size: 600_000 },
  { checksum: 0, size: 70_000 },
])("zstd with other frame headers ends where it ends: %j", ({ checksum, size }) => {
  const content = Buffer.alloc(size, "abcdefghijk");
  const frame = zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: checksum } });
  expect(zstdFramesEnd(frame)).toBe(frame.length);
  expect(zstdFramesEnd(Buffer.concat([frame, frame, Buffer.from("x")]))).toBe(frame.length * 2);
  for (let length = 0; length < Math.min(frame.length, 40); length++)
    expect(zstdFramesEnd(frame.subarray(0, length))).toBe("truncated");
});

describe("several encodings in one field", () => {
  test("are undone, the last one first", async () => {
    await using served = serveTestApp();
    const body = new Uint8Array(brotliCompressSync(gzipSync(EVENT)));
    expect((await post(`${served.url}/register_event`, "gzip, identity, BR", body)).status).toBe(202);
    const swapped = await post(`${served.url}/register_event`, "br, gzip", body);
    expect(swapped.status).toBe(400);
    expect((await problemOf(swapped)).detail).toStartWith("The body is not valid gzip");
  });

  test("are bounded in each step", async () => {
    await using served = serveTestApp({ maxBodyBytes: 100_000 });
    const bomb = gzipSync(gzipSync(Buffer.alloc(64 * MIB)));
    const response = await post(`${served.url}/register_events`, "gzip, gzip", new Uint8Array(bomb));
    expect(response.status).toBe(413);
    expect(served.budget.used).toBe(0);
  });

  test.each([
    ["gzip, compress", '"compress" is not supported'],
    ["gzip, br, gzip", "names 3 encodings, more than 2"],
  ])("%s is 415, and says why", async (encoding, why) => {
    await using served = serveTestApp();
    const response = await post(`${served.url}/register_event`, encoding, EVENT);
    expect(response.status).toBe(415);
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, br, zstd");
    expect((await problemOf(response)).detail).toContain(why);
  });
});
