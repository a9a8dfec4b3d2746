// Bodies in the forms that callers have, over real sockets, compared with the records in the topic of a real broker.
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { ConsumedRecord } from "@ingest/kafka";
import { temporaryFolder } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";
import { Analytics } from "@segment/analytics-node";
import { PostHog } from "posthog-node";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

type StoredEvent = Record<string, unknown> & { event_id: string; payload: Record<string, unknown> };
const eventOf = ({ value }: ConsumedRecord) => JSON.parse(value!.toString()) as StoredEvent;

async function producer(env: Record<string, string> = {}) {
  const topic = kafka.topicName();
  const started = await startProducer({ env: { ...kafka.env, KAFKA_TOPIC: topic, ...env } });
  return Object.assign(started, { topic });
}

test(
  "a batch that is sent again under its Idempotency-Key, to another process, has the same event ids",
  async () => {
    const topic = kafka.topicName();
    const body = gzipSync('{"event_type":"a"}\n{"event_type":"b","event_id":"own"}\n{"event_type":"a"}\n');
    const ids: string[][] = [];
    for (let n = 0; n < 2; n++) {
      await using service = await producer({ KAFKA_TOPIC: topic, WORKERS: n === 0 ? "1" : "2" });
      const response = await fetch(`${service.url}/register_events?durability=stored`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/x-ndjson",
          "content-encoding": "gzip",
          "idempotency-key": '"batch-1"',
        },
      });
      expect(response.status).toBe(201);
      const { results } = (await response.json()) as { results: { event_id: string }[] };
      ids.push(results.map(({ event_id }) => event_id));
    }
    expect(ids[1]).toEqual(ids[0]!);
    const stored = (await kafka.read(topic)).map((record) => eventOf(record).event_id);
    expect(stored).toHaveLength(6);
    expect(new Set(stored)).toEqual(new Set(ids[0]!));
  },
  TIMEOUT_MS,
);

/** Passes requests on to the producer, except the first ones, whose responses it makes. */
function failing(service: { url: string }, statuses: number[]) {
  const seen: number[] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const status = statuses.shift();
      const response =
        status === undefined
          ? await fetch(service.url + pathname + search, {
              method: request.method,
              headers: request.headers,
              body: await request.arrayBuffer(),
            })
          : new Response(null, { status, headers: { "retry-after": "0" } });
      seen.push(response.status);
      return response;
    },
  });
  return { url: server.url.origin, seen, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** How an SDK of another product sends so many events, with ids. */
type SendAll = (url: string, key: string, ids: readonly string[]) => Promise<void>;

const sendBySegment: SendAll = async (host, writeKey, ids) => {
  const analytics = new Analytics({ writeKey, host, flushAt: 20, flushInterval: 100 });
  analytics.on("error", () => {});
  for (const [n, messageId] of ids.entries())
    analytics.track({ event: "Order Completed", userId: `u-${n % 7}`, messageId, properties: { n } });
  await analytics.closeAndFlush({ timeout: 60_000 });
};

const sendByPosthog: SendAll = async (host, key, ids) => {
  const posthog = new PostHog(key, { host, flushAt: 20, flushInterval: 100, fetchRetryDelay: 100 });
  posthog.on("error", () => {});
  for (const [n, uuid] of ids.entries())
    posthog.capture({ event: "Order Completed", distinctId: `u-${n % 7}`, uuid, properties: { n } });
  await posthog.shutdown(60_000);
};

describe.each([
  ["segment", "@segment/analytics-node", sendBySegment],
  ["posthog", "posthog-node", sendByPosthog],
] as const)("with ADAPTERS=%s, the SDK %s", (name, _, sendAll) => {
  test(
    "sends every event once, with its id, also after a 503",
    async () => {
      await using service = await producer({ ADAPTERS: name });
      await using proxy = failing(service, [503]);
      const ids = Array.from({ length: 100 }, () => crypto.randomUUID());
      await sendAll(proxy.url, "any", ids);
      const stored = (await kafka.read(service.topic)).map((record) => ({ record, event: eventOf(record) }));
      expect(stored.map(({ event }) => event.event_id).sort()).toEqual(ids.toSorted());
      expect(proxy.seen).toContain(503);
      for (const { record, event } of stored) {
        const n = ids.findIndex((id) => id === event.event_id);
        expect(event).toMatchObject({
          event_type: "Order Completed",
          user_id: `u-${n % 7}`,
          payload: { properties: { n } },
        });
        expect(record.key?.toString()).toBe(`u-${n % 7}`);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "is known by its key, and sends no batch again after 401",
    async () => {
      using folder = temporaryFolder("adapters");
      const path = join(folder.path, "callers.json");
      const sha256 = createHash("sha256").update("right").digest("hex");
      writeFileSync(path, JSON.stringify({ callers: [{ id: "shop", keys: [{ sha256 }] }] }));
      await using service = await producer({ ADAPTERS: name, CALLERS_FILE: path });
      await using proxy = failing(service, []);
      await sendAll(proxy.url, "wrong", [crypto.randomUUID()]);
      expect(proxy.seen).toEqual([401]);
      const id = crypto.randomUUID();
      await sendAll(proxy.url, "right", [id]);
      expect(proxy.seen).toEqual([401, 200]);
      const [record] = await kafka.read(service.topic);
      expect(eventOf(record!).event_id).toBe(id);
      expect(record!.value!.toString()).not.toContain("right");
    },
    TIMEOUT_MS,
  );
});

test(
  "a form and the pixel are events of the topic",
  async () => {
    await using service = await producer({ ADAPTERS: "form,pixel" });
    const form = new URLSearchParams({ event_type: "ordered", event_id: "f", plan: "pro" });
    const sent = await fetch(`${service.url}/register_event?durability=stored`, {
      method: "POST",
      body: form,
    });
    expect(sent.status).toBe(201);
    const pixel = await fetch(
      `${service.url}/pixel.gif?event_type=opened&event_id=p&mail=7&durability=stored`,
    );
    expect(pixel.headers.get("content-type")).toBe("image/gif");
    expect((await pixel.bytes()).subarray(0, 6)).toEqual(new TextEncoder().encode("GIF89a"));
    const head = await fetch(`${service.url}/pixel.gif?event_type=opened&durability=stored`, {
      method: "HEAD",
    });
    expect(head.status).toBe(200);
    const stored = (await kafka.read(service.topic)).map(eventOf);
    expect(Object.fromEntries(stored.map(({ event_id, payload }) => [event_id, payload]))).toEqual({
      f: { plan: "pro" },
      p: { mail: "7" },
    });
  },
  TIMEOUT_MS,
);
