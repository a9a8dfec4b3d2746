// Events sent to the API, compared with the records in the topic of a real broker.
import { afterAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { isStoredEvent } from "@ingest/contract";
import type { ConsumedRecord } from "@ingest/kafka";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

async function producer(env: Record<string, string> = {}): Promise<ProducerProcess & { topic: string }> {
  const topic = kafka.topicName();
  const started = await startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: topic, ...env },
  });
  return Object.assign(started, { topic });
}

const eventOf = ({ value }: ConsumedRecord) => JSON.parse(value!.toString()) as Record<string, unknown>;

describe("an accepted event", () => {
  test(
    "becomes a record: the caller's bytes with event_id and timestamp, the user as key, no headers",
    async () => {
      await using service = await producer({ KAFKA_TOPIC_PARTITIONS: "3" });
      const before = Date.now();
      const body = '{ "event_type":"buy", "user_id":"u-1","payload":{"n":12345678901234567890} }';
      const response = (await (await service.post("/register_event", body)).json()) as { event_id: string };
      const noUser = await service.post("/register_event", {
        event_type: "anonymous",
        event_id: "mine",
        timestamp: 5,
      });
      expect(noUser.status).toBe(202);
      service.kill();
      expect(await service.exited).toBe(0);

      expect((await kafka.admin.describeTopic(service.topic)).partitions).toHaveLength(3);
      const records = await kafka.read(service.topic);
      expect(records).toHaveLength(2);
      const keyed = records.find(({ key }) => key?.toString() === "u-1")!;
      const text = keyed.value!.toString();
      expect(text).toStartWith(`{"event_id":"${response.event_id}","timestamp":`);
      expect(text).toEndWith(body.slice(1));
      const value = eventOf(keyed);
      expect(isStoredEvent(value)).toBe(true);
      expect(value.timestamp).toBeGreaterThanOrEqual(before);
      expect(keyed.timestampMs).toBeGreaterThanOrEqual(before);
      expect(keyed.headers).toEqual([]);
      const anonymous = records.find(({ key }) => key === null)!;
      expect(eventOf(anonymous)).toEqual({ event_type: "anonymous", event_id: "mine", timestamp: 5 });
    },
    TIMEOUT_MS,
  );

  test(
    "is stored behind the same user's earlier ones, in single requests and in batches",
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
      const records = await kafka.read(service.topic);
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

describe("the other durabilities", () => {
  test(
    "stored: the response has the record's partition and offset",
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
      const record = (await kafka.read(service.topic)).find(
        ({ partition, offset }) => partition === place.partition && offset === place.offset,
      )!;
      expect(eventOf(record).event_id).toBe(place.event_id);
    },
    TIMEOUT_MS,
  );

  test(
    "durable, in a gzip batch with one invalid event: the others are stored",
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
      expect((await kafka.read(service.topic)).map((record) => eventOf(record).event_id).sort()).toEqual([
        "1",
        "3",
      ]);
    },
    TIMEOUT_MS,
  );
});

describe("overload", () => {
  test(
    "a full queue is 503 with Retry-After at once; accepted events are stored, rejected ones are not",
    async () => {
      await using service = await producer({
        JOURNAL_ENABLED: "false",
        KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "50",
        // Events stay in the queue for a while.
        KAFKA_LINGER_MS: "2000",
        KAFKA_BATCH_NUM_MESSAGES: "1000",
      });
      const responses = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          service.post("/register_event", { event_type: "a", event_id: `e-${n}` }).then(async (response) => ({
            id: `e-${n}`,
            status: response.status,
            retryAfter: response.headers.get("retry-after"),
            code: ((await response.json()) as { code?: string }).code,
          })),
        ),
      );
      const accepted = responses.filter(({ status }) => status === 202);
      const rejected = responses.filter(({ status }) => status === 503);
      expect(accepted.length + rejected.length).toBe(200);
      expect(accepted.length).toBeGreaterThanOrEqual(50);
      expect(rejected.length).toBeGreaterThan(0);
      for (const { retryAfter, code } of rejected) {
        expect(code).toBe("queue_full");
        expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      }
      const metrics = await service.metrics();
      expect(metrics.get('ingest_http_requests_total{route="/register_event",status="503"}')).toBe(
        rejected.length,
      );
      expect(metrics.get('ingest_refused_total{reason="queue_full"}')).toBe(rejected.length);
      service.kill();
      expect(await service.exited).toBe(0);
      const stored = (await kafka.read(service.topic)).map((record) => eventOf(record).event_id);
      expect(stored.sort()).toEqual(accepted.map(({ id }) => id).sort());
    },
    TIMEOUT_MS,
  );

  test(
    "an event of MAX_EVENT_BYTES is stored, one byte more is 413",
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
  "the metrics agree with the responses",
  async () => {
    await using service = await producer();
    for (let n = 0; n < 20; n++) await service.post("/register_event", { event_type: "a" });
    await service.post("/register_event", {});
    await service.post("/register_event?durability=stored", { event_type: "last" });
    const metrics = await service.metrics();
    expect(metrics.get('ingest_http_requests_total{route="/register_event",status="202"}')).toBe(20);
    expect(metrics.get('ingest_http_requests_total{route="/register_event",status="422"}')).toBe(1);
    expect(metrics.get('ingest_http_request_duration_seconds_count{route="/register_event"}')).toBe(22);
    expect(metrics.get('ingest_events_total{outcome="accepted"}')).toBe(20);
    expect(metrics.get('ingest_events_total{outcome="stored"}')).toBe(1);
    expect(metrics.get('ingest_events_total{outcome="invalid"}')).toBe(1);
    expect(metrics.get("ingest_http_requests_in_flight")).toBe(0);
    expect(metrics.get("ingest_ready")).toBe(1);
    expect(metrics.get("ingest_workers")).toBe(1);
  },
  TIMEOUT_MS,
);
