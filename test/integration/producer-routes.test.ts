// Events that routes send to several topics, with a real process and a real Kafka.
import { afterAll, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
const folder = temporaryFolder("routes");
afterAll(async () => {
  folder[Symbol.dispose]();
  await kafka[Symbol.asyncDispose]();
});

async function store(producer: ProducerProcess, type: string, event: object = {}) {
  const response = await producer.post("/register_event?durability=stored", { event_type: type, ...event });
  return (await response.json()) as { topic?: string; code?: string };
}

test(
  "topics are created as the routes say, stored responses name them, their limits apply, and a changed file adds one",
  async () => {
    const rest = kafka.topicName();
    const orders = kafka.topicName();
    const paid = kafka.topicName();
    const added = kafka.topicName();
    const path = join(folder.path, "routes.json");
    const write = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    const routes = [
      {
        topic: orders,
        event_types: ["order.*"],
        partitions: 3,
        retention_ms: 3_600_000,
        cleanup_policy: "compact,delete",
        compression: "zstd",
      },
      { topic: paid, event_types: ["order.paid"] },
    ];
    write(JSON.stringify({ routes }));
    await using producer = await startProducer({
      env: { ...kafka.env, KAFKA_TOPIC: rest, KAFKA_TOPIC_PARTITIONS: "2", ROUTES_FILE: path },
    });
    const stored = async (type: string) => (await store(producer, type, { user_id: "u" })).topic;
    expect(await stored("click")).toBe(rest);
    expect(await stored("order.paid")).toBe(paid);
    expect(await stored("order.created")).toBe(orders);
    const partitionsOf = async (topic: string) => (await kafka.admin.describeTopic(topic)).partitions.length;
    expect([await partitionsOf(orders), await partitionsOf(paid)]).toEqual([3, 2]);
    const config = await kafka.admin.topicConfig(orders);
    expect([config.get("retention.ms"), config.get("cleanup.policy")]).toEqual(["3600000", "compact,delete"]);

    await until("the limits", async () => (await store(producer, "order.created")).code === "key_required");
    expect((await store(producer, "order.paid")).topic).toBe(paid);

    write("{");
    await producer.untilLogged("routes file is invalid: keeping the previous routes");
    expect(await stored("order.paid")).toBe(paid);
    write(JSON.stringify({ routes: [...routes, { topic: added, event_types: ["click"] }] }));
    await producer.untilLogged("routes reloaded");
    expect(await stored("click")).toBe(added);
    expect(await partitionsOf(added)).toBe(2);
  },
  TIMEOUT_MS,
);

test(
  "SIGHUP reads the file again in every worker, and stops none",
  async () => {
    const path = join(folder.path, "workers.json");
    const topic = kafka.topicName();
    writeFileSync(path, JSON.stringify({ routes: [{ topic, event_types: ["order.*"] }] }));
    await using producer = await startProducer({
      env: { ...kafka.env, KAFKA_TOPIC: kafka.topicName(), ROUTES_FILE: path, WORKERS: "2" },
    });
    process.kill(producer.pid, "SIGHUP");
    const reloads = () => producer.lines.filter(({ message }) => message === "routes reloaded").length;
    await until("both workers", () => reloads() === 2);
    expect((await store(producer, "order.created")).topic).toBe(topic);
  },
  TIMEOUT_MS,
);
