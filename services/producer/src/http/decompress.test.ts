// Compressed bodies over real sockets.
import { expect, test } from "bun:test";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Problem } from "@ingest/contract";
import { serveTestApp } from "../testing/serve.ts";

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

test("truncated gzip is 400", async () => {
  await using served = serveTestApp();
  const whole = gzipSync(JSON.stringify({ event_type: "a", payload: { p: "abc".repeat(100) } }));
  const truncated = new Uint8Array(whole.subarray(0, whole.length - 12));
  const response = await post(`${served.url}/register_event`, "gzip", truncated);
  expect(response.status).toBe(400);
  expect(((await response.json()) as Problem).code).toBe("bad_encoding");
});
