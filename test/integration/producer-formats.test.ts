// Bodies in the forms that callers have, over real sockets, compared with the records in the topic of a real broker.
import { afterAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { ConsumedRecord } from "@ingest/kafka";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";

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
