// A topic that changes under a running producer: its settings, and that it is deleted.
import { afterAll, expect, test } from "bun:test";
import { canStartBroker, freePort, startBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

async function post(producer: ProducerProcess, durability: string, event: object) {
  const response = await producer.post(`/register_event?durability=${durability}`, {
    event_type: "a",
    ...event,
  });
  return { status: response.status, code: ((await response.json()) as { code?: string }).code };
}

test(
  "settings that change are enforced before an event is sent, as soon as Kafka has refused one event for them",
  async () => {
    const topic = await kafka.createTopic(1);
    await using producer = await startProducer({ env: { ...kafka.env, KAFKA_TOPIC: topic } });
    await producer.untilLogged("topic limits read");
    await kafka.setTopicConfig(topic, { "cleanup.policy": "compact", "max.message.bytes": "2000" });
    // Of Kafka, once the settings have reached it; then before they are sent.
    await until(
      "a refusal by Kafka",
      async () => (await post(producer, "stored", {})).code === "event_rejected",
    );
    await until(
      "a refusal before the event is sent",
      async () => (await post(producer, "accepted", {})).code === "key_required",
      20_000,
    );
    // Compressed it would fit, but callers can't know that.
    const large = { user_id: "u", payload: { text: "x".repeat(2_000) } };
    expect(await post(producer, "accepted", large)).toEqual({ status: 413, code: "too_large" });
    await kafka.setTopicConfig(topic, { "cleanup.policy": null, "max.message.bytes": null });
  },
  TIMEOUT_MS,
);

// Fault: readiness said that the topic is there, the log alternated between a stall and its end, and nothing named the topic.
test(
  "a topic that is deleted is named and created again, and durable events reach it",
  async () => {
    const topic = await kafka.createTopic(2);
    await using producer = await startProducer({
      env: {
        ...kafka.env,
        KAFKA_TOPIC: topic,
        KAFKA_TOPIC_PARTITIONS: "3",
        DELIVERY_STALL_MS: "5000",
        KAFKA_SOCKET_TIMEOUT_MS: "4000",
      },
    });
    expect(await post(producer, "stored", { event_id: "before" })).toMatchObject({ status: 201 });
    await kafka.admin.deleteTopic(topic);
    await until("the deletion", async () => !(await kafka.admin.listTopics()).includes(topic), 10_000);
    const ids = Array.from({ length: 20 }, (_, n) => `e${n}`);
    for (const event_id of ids)
      expect(await post(producer, "durable", { event_id, user_id: "u" })).toMatchObject({ status: 202 });
    expect(await producer.untilLogged("topic missing: its events are not delivered", 60_000)).toMatchObject({
      topic,
      code: "unknown_topic",
    });
    await until(
      "the events",
      async () => (await kafka.readEventIds(topic).catch(() => [])).length >= ids.length,
      60_000,
    );
    expect([...new Set(await kafka.readEventIds(topic))]).toEqual(ids);
    expect((await kafka.admin.describeTopic(topic)).partitions).toHaveLength(3);
    await until("stored events", async () => (await post(producer, "stored", {})).status === 201, 60_000);
    const ready = await producer.fetch("/health/ready");
    expect(await ready.json()).toMatchObject({ topic: "ready", spooling: false });
  },
  TIMEOUT_MS,
);

test(
  "with KAFKA_TOPIC_RECREATE=false it is named and left to the operator; its events wait",
  async () => {
    const topic = await kafka.createTopic(1);
    await using producer = await startProducer({
      env: {
        ...kafka.env,
        KAFKA_TOPIC: topic,
        KAFKA_TOPIC_RECREATE: "false",
        DELIVERY_STALL_MS: "5000",
        KAFKA_SOCKET_TIMEOUT_MS: "4000",
      },
    });
    await kafka.admin.deleteTopic(topic);
    await until("the deletion", async () => !(await kafka.admin.listTopics()).includes(topic), 10_000);
    expect(await post(producer, "durable", { event_id: "waiting" })).toMatchObject({ status: 202 });
    await producer.untilLogged("topic missing: its events are not delivered", 60_000);
    const ready = await producer.fetch("/health/ready");
    expect(await ready.json()).toMatchObject({ topic: "missing" });
    expect(await kafka.admin.listTopics()).not.toContain(topic);
    await kafka.admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
    await until("the event", async () => (await kafka.countRecords(topic)) > 0, 60_000);
    expect(producer.lines.filter(({ message }) => message.startsWith("topic missing"))).toHaveLength(1);
  },
  TIMEOUT_MS,
);

// Fault: events went to another cluster's topic of the same name, which the producer had created, and no line said so.
test.skipIf(!canStartBroker())(
  "another cluster at the same address is logged",
  async () => {
    const port = await freePort();
    const first = await startBroker({ port });
    await using producer = await startProducer({
      env: { KAFKA_BOOTSTRAP_SERVERS: first.bootstrapServers, KAFKA_TOPIC: "moved" },
    });
    await until("a stored event", async () => (await post(producer, "stored", {})).status === 201, 60_000);
    await first[Symbol.asyncDispose]();
    await using second = await startBroker({ port });
    await producer.untilLogged("Kafka cluster changed: its id is another one", 60_000);
    await until("a stored event", async () => (await post(producer, "stored", {})).status === 201, 60_000);
    expect(second.bootstrapServers).toBe(first.bootstrapServers);
  },
  TIMEOUT_MS,
);
