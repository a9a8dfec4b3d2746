// Callers, limits, schemas, CloudEvents, durability and the journal in one request, with a real process and a real Kafka.
import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

test.each(["native", "bun"])(
  "a batch of CloudEvents that is in part forbidden, invalid and limited is journalled, and replayed as what was taken (%s)",
  async (server) => {
    using folder = temporaryFolder("together");
    const callersFile = join(folder.path, "callers.json");
    const sha256 = createHash("sha256").update("key").digest("hex");
    const limits = { events_per_second: 1, burst_events: 5 };
    const caller = { id: "shop", keys: [{ sha256 }], event_types: ["order.*"], limits };
    writeFileSync(callersFile, JSON.stringify({ callers: [caller] }));
    const schemas = join(folder.path, "schemas");
    mkdirSync(schemas);
    writeFileSync(
      join(schemas, "order.created.json"),
      JSON.stringify({ type: "object", required: ["total"] }),
    );
    const topic = kafka.topicName();
    const env = {
      HTTP_SERVER: server,
      KAFKA_TOPIC: topic,
      CALLERS_FILE: callersFile,
      CALLER_HEADER: "caller",
      SCHEMA_MODE: "enforce",
      SCHEMA_DIR: schemas,
    };
    const eventOf = (id: string, type: string, data: object) => ({
      specversion: "1.0",
      id,
      type,
      source: "/shop",
      partitionkey: "customer 7",
      // A caller may not write its own header.
      caller: "somebody else",
      data,
    });
    const batch = [
      eventOf("1", "order.created", { total: 1 }),
      eventOf("2", "order.created", {}),
      eventOf("3", "payment", { total: 1 }),
      { ...eventOf("4", "order.created", { total: 1 }), specversion: "0.3" },
      eventOf("5", "order.paid", { total: 5 }),
      eventOf("6", "order.created", { total: 6 }),
    ];
    const journalDir = join(folder.path, "journal");
    await using offline = await startProducer({
      env: { ...env, KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` },
      journalDir,
      untilReady: false,
    });
    const response = await fetch(`${offline.url}/register_events?durability=durable`, {
      method: "POST",
      body: Bun.gzipSync(JSON.stringify(batch)),
      headers: {
        authorization: "Bearer key",
        "content-type": "application/cloudevents-batch+json",
        "content-encoding": "gzip",
      },
    });
    expect(response.status).toBe(207);
    expect(response.headers.get("ratelimit")).toStartWith('"events_per_second";r=0;');
    const { results } = (await response.json()) as {
      results: { event_id: string; status: string; code?: string }[];
    };
    expect(results.map(({ event_id, status, code }) => [event_id, code ?? status])).toEqual([
      ["1", "durable"],
      ["2", "schema_violation"],
      ["3", "event_type_not_allowed"],
      ["4", "invalid_event"],
      ["5", "durable"],
      ["6", "rate_limited"],
    ]);
    offline.kill("SIGKILL");
    await offline.exited;

    await using replaying = await startProducer({ env: { ...env, ...kafka.env }, journalDir });
    await until("the replay", async () => (await replaying.metrics()).get("ingest_delivered_total") === 2);
    const records = await kafka.read(topic);
    expect(records.map(({ key, value }) => [key?.toString(), value?.toString()])).toEqual([
      ["customer 7", '{"total":1}'],
      ["customer 7", '{"total":5}'],
    ]);
    for (const { headers } of records) {
      const names = headers.map(([name]) => name);
      expect(names.filter((name) => name === "caller")).toHaveLength(1);
      expect(Object.fromEntries(headers.map(([name, value]) => [name, String(value)]))).toMatchObject({
        ce_source: "/shop",
        ce_caller: "somebody else",
        caller: "shop",
        "content-type": "application/json",
      });
    }
  },
  TIMEOUT_MS,
);
