// What the API promises, seen in the topic of a real broker.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { sharedBroker } from "@ingest/broker";
import { isStoredEvent } from "@ingest/contract";
import {
  type ConsumedRecord,
  clientSettings,
  createAdmin,
  type KafkaAdmin,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { type ProducerProcess, startProducer } from "./producer-process.ts";

const TIMEOUT_MS = 120_000;
let bootstrapServers: string;
let admin: KafkaAdmin;
const topics: string[] = [];

beforeAll(async () => {
  ({ bootstrapServers } = await sharedBroker());
  admin = await createAdmin({ config: config() });
}, TIMEOUT_MS);
afterAll(async () => {
  for (const topic of topics) await admin.deleteTopic(topic).catch(() => undefined);
  await admin?.close();
});

function config() {
  return toClientConfig(
    parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers }),
    "admin",
  );
}

async function producer(env: Record<string, string> = {}): Promise<ProducerProcess & { topic: string }> {
  const topic = `producer-${crypto.randomUUID()}`;
  topics.push(topic);
  const started = await startProducer({
    env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_TOPIC: topic, ...env },
  });
  return Object.assign(started, { topic });
}

async function readAll(topic: string): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  for await (const batch of readTopic({ config: config(), topic })) records.push(...batch);
  return records;
}

const eventOf = ({ value }: ConsumedRecord) => JSON.parse(value!.toString()) as Record<string, unknown>;

describe("an accepted event", () => {
  test(
    "is a record: the caller's bytes with id and time, the user as key, no headers",
    async () => {
      await using service = await producer({ KAFKA_TOPIC_PARTITIONS: "3" });
      const before = Date.now();
      const body = '{ "event_type":"buy", "user_id":"u-1","payload":{"n":12345678901234567890} }';
      const answer = (await (await service.post("/register_event", body)).json()) as { event_id: string };
      const noUser = await service.post("/register_event", {
        event_type: "anonymous",
        event_id: "mine",
        timestamp: 5,
      });
      expect(noUser.status).toBe(202);
      service.kill();
      expect(await service.exited).toBe(0);

      expect((await admin.describeTopic(service.topic)).partitions).toHaveLength(3);
      const records = await readAll(service.topic);
      expect(records).toHaveLength(2);
      const keyed = records.find(({ key }) => key?.toString() === "u-1")!;
      const text = keyed.value!.toString();
      expect(text).toStartWith(`{"event_id":"${answer.event_id}","timestamp":`);
      expect(text).toEndWith(body.slice(1));
      const value = eventOf(keyed);
      expect(isStoredEvent(value)).toBe(true);
      expect(value.timestamp).toBeGreaterThanOrEqual(before);
      expect(keyed.timestampMs).toBeGreaterThanOrEqual(before);
      expect(keyed.headers).toEqual({});
      const anonymous = records.find(({ key }) => key === null)!;
      expect(eventOf(anonymous)).toEqual({ event_type: "anonymous", event_id: "mine", timestamp: 5 });
    },
    TIMEOUT_MS,
  );

  test(
    "stays behind the same user's earlier ones, sent one by one or many at a time",
    async () => {
      await using service = await producer();
      const users = ["a", "b", "c", "d"];
      const rounds = 60;
      await Promise.all(
        users.map(async (user_id) => {
          for (let n = 0; n < rounds; n++) {
            const event = { event_type: "step", user_id, payload: { n } };
            const more = { event_type: "step", user_id, payload: { n: n + 0.5 } };
            const response =
              n % 2 === 0
                ? await service.post("/register_events", [event, more])
                : await service.post(
                    "/register_events",
                    `${JSON.stringify(event)}\n${JSON.stringify(more)}`,
                    {
                      "content-type": "application/x-ndjson",
                    },
                  );
            expect(response.status).toBe(202);
          }
        }),
      );
      service.kill();
      expect(await service.exited).toBe(0);
      const records = await readAll(service.topic);
      expect(records).toHaveLength(users.length * rounds * 2);
      for (const user of users) {
        const steps = records
          .filter(({ key }) => key?.toString() === user)
          .sort((x, y) => x.offset - y.offset)
          .map((record) => (eventOf(record).payload as { n: number }).n);
        expect(steps).toEqual(Array.from({ length: rounds * 2 }, (_, i) => i / 2));
      }
    },
    TIMEOUT_MS,
  );
});

describe("the other promises", () => {
  test(
    "stored: the answer's place is where the record is",
    async () => {
      await using service = await producer();
      const response = await service.post("/register_event?durability=stored", {
        event_type: "a",
        user_id: "u",
      });
      expect(response.status).toBe(201);
      const place = (await response.json()) as {
        event_id: string;
        topic: string;
        partition: number;
        offset: number;
      };
      expect(place.topic).toBe(service.topic);
      const record = (await readAll(service.topic)).find(
        ({ partition, offset }) => partition === place.partition && offset === place.offset,
      )!;
      expect(eventOf(record).event_id).toBe(place.event_id);
    },
    TIMEOUT_MS,
  );

  test(
    "durable, in a gzip batch with one wrong event: the others land",
    async () => {
      await using service = await producer();
      const events = [
        { event_type: "a", event_id: "1" },
        { event_type: 2 },
        { event_type: "c", event_id: "3" },
      ];
      const response = await fetch(`${service.url}/register_events`, {
        method: "POST",
        body: gzipSync(JSON.stringify(events)),
        headers: {
          "content-type": "application/json",
          "content-encoding": "gzip",
          prefer: "durability=durable",
        },
      });
      expect(response.status).toBe(207);
      expect(response.headers.get("preference-applied")).toBe("durability=durable");
      const { results } = (await response.json()) as { results: { status: string }[] };
      expect(results.map(({ status }) => status)).toEqual(["durable", "invalid", "durable"]);
      service.kill();
      expect(await service.exited).toBe(0);
      expect((await readAll(service.topic)).map((record) => eventOf(record).event_id).sort()).toEqual([
        "1",
        "3",
      ]);
    },
    TIMEOUT_MS,
  );
});

describe("overload", () => {
  test(
    "a full queue is 503 with Retry-After at once; what was accepted lands, the rest doesn't",
    async () => {
      await using service = await producer({
        JOURNAL_ENABLED: "false",
        KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "50",
        // What is queued stays there for a while.
        KAFKA_LINGER_MS: "2000",
        KAFKA_BATCH_NUM_MESSAGES: "1000",
      });
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          service.post("/register_event", { event_type: "a", event_id: `e-${n}` }).then(async (response) => ({
            id: `e-${n}`,
            status: response.status,
            retryAfter: response.headers.get("retry-after"),
            code: ((await response.json()) as { code?: string }).code,
          })),
        ),
      );
      const accepted = answers.filter(({ status }) => status === 202);
      const refused = answers.filter(({ status }) => status === 503);
      expect(accepted.length + refused.length).toBe(200);
      expect(accepted.length).toBeGreaterThanOrEqual(50);
      expect(refused.length).toBeGreaterThan(0);
      for (const { retryAfter, code } of refused) {
        expect(code).toBe("queue_full");
        expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      }
      const figures = await service.metrics();
      expect(figures.get('ingest_http_requests_total{route="/register_event",status="503"}')).toBe(
        refused.length,
      );
      expect(figures.get('ingest_refused_total{reason="queue_full"}')).toBe(refused.length);
      service.kill();
      expect(await service.exited).toBe(0);
      const landed = (await readAll(service.topic)).map((record) => eventOf(record).event_id);
      expect(landed.sort()).toEqual(accepted.map(({ id }) => id).sort());
    },
    TIMEOUT_MS,
  );

  test(
    "an event of the largest size that is allowed fits into Kafka, one byte more is 413",
    async () => {
      const max = 900_000;
      await using service = await producer({ MAX_EVENT_BYTES: String(max) });
      const frame = '{"event_type":"a","user_id":"u","payload":{"p":""}}';
      const largest = (extra: number) => frame.replace('""', `"${"x".repeat(max - frame.length + extra)}"`);
      expect((await service.post("/register_event?durability=stored", largest(0))).status).toBe(201);
      expect((await service.post("/register_event?durability=stored", largest(1))).status).toBe(413);
    },
    TIMEOUT_MS,
  );
});

test(
  "the figures add up",
  async () => {
    await using service = await producer();
    for (let n = 0; n < 20; n++) await service.post("/register_event", { event_type: "a" });
    await service.post("/register_event", {});
    await service.post("/register_event?durability=stored", { event_type: "last" });
    const figures = await service.metrics();
    expect(figures.get('ingest_http_requests_total{route="/register_event",status="202"}')).toBe(20);
    expect(figures.get('ingest_http_requests_total{route="/register_event",status="422"}')).toBe(1);
    expect(figures.get('ingest_http_request_duration_seconds_count{route="/register_event"}')).toBe(22);
    expect(figures.get('ingest_events_total{outcome="accepted"}')).toBe(20);
    expect(figures.get('ingest_events_total{outcome="stored"}')).toBe(1);
    expect(figures.get('ingest_events_total{outcome="invalid"}')).toBe(1);
    expect(figures.get("ingest_http_requests_in_flight")).toBe(0);
    expect(figures.get("ingest_ready")).toBe(1);
    expect(figures.get("ingest_workers")).toBe(1);
  },
  TIMEOUT_MS,
);
