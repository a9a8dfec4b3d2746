// One partition of a real cluster is stuck: its leader is alive, but the producer gets no response from it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "@ingest/testkit";
import { KafkaFixture, type ProxiedCluster, startProxiedCluster } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";

const PARTITIONS = 3;
const STUCK = 0;
const EVENTS = 50;

let kafka: ProxiedCluster;
let fixture: KafkaFixture;

beforeAll(async () => {
  kafka = await startProxiedCluster(PARTITIONS);
  fixture = await KafkaFixture.connect(kafka.directServers, { replicationFactor: 3 });
}, 120_000);

afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  await kafka?.[Symbol.asyncDispose]();
}, 60_000);

test("the other partitions go on, and the stuck one gets its durable events in order once it is back", async () => {
  const topic = await fixture.createTopic(PARTITIONS);
  await kafka.cluster.moveLeaders(topic, (partition) => partition);
  await using producer = await startProducer({
    env: {
      KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers,
      KAFKA_TOPIC: topic,
      KAFKA_SOCKET_TIMEOUT_MS: "3000",
      KAFKA_REQUEST_TIMEOUT_MS: "2500",
      KAFKA_MESSAGE_TIMEOUT_MS: "8000",
      STORED_DEADLINE_MS: "8000",
      DELIVERY_STALL_MS: "4000",
    },
  });
  const post = async (user: string, durability: "durable" | "stored", id?: string) => {
    const event = { event_type: "a", user_id: user, ...(id === undefined ? {} : { event_id: id }) };
    const response = await producer.post(`/register_event?durability=${durability}`, event);
    const { partition } = (await response.json()) as { partition?: number };
    return { status: response.status, partition };
  };

  const userOf = new Map<number, string>();
  for (let n = 0; userOf.size < PARTITIONS; n++) {
    const { status, partition } = await post(`user-${n}`, "stored");
    expect(status).toBe(201);
    userOf.set(partition!, `user-${n}`);
  }
  const recordsOfStuck = async () =>
    (await fixture.admin.offsets(topic)).find(({ partition }) => partition === STUCK)!.high;
  const before = await recordsOfStuck();

  kafka.brokers[STUCK]!.proxy.silence();
  const ids = Array.from({ length: EVENTS }, (_, n) => `stuck-${n}`);
  for (const id of ids) expect((await post(userOf.get(STUCK)!, "durable", id)).status).toBe(202);
  const untilOthersAreStored = async () => {
    for (const [partition, user] of userOf) {
      if (partition === STUCK) continue;
      await until(
        `a stored event of partition ${partition}`,
        async () => (await post(user, "stored")).status === 201,
        60_000,
      );
    }
  };
  await untilOthersAreStored();
  // The stall makes delivery take all events back, those of the other partitions too.
  await until(
    "the client recreated",
    async () => (await producer.metric("ingest_client_restarts_total")) > 0,
    60_000,
  );
  await untilOthersAreStored();
  expect(await recordsOfStuck()).toBe(before);

  kafka.brokers[STUCK]!.proxy.restore();
  const storedIds = async () => {
    const written = (await fixture.readEventIds(topic)).filter((id) => id.startsWith("stuck-"));
    return [...new Set(written)];
  };
  await until("the events of the stuck partition", async () => (await storedIds()).length === EVENTS, 60_000);
  expect(await storedIds()).toEqual(ids);
}, 180_000);
