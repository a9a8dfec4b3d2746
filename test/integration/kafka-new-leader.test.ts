// A broker that doesn't lead a partition yet: it is named as the leader moments before it is one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type ConsumedRecord,
  createAdmin,
  createProducer,
  type Delivery,
  type KafkaError,
  producerSettings,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import { type ProxiedBroker, startProxiedBroker } from "../faults/kit/proxied-broker.ts";
import { RefusingProxy } from "../faults/kit/refusing-proxy.ts";

let home: ProxiedBroker<RefusingProxy>;
beforeAll(async () => {
  home = await startProxiedBroker(RefusingProxy.start);
}, 120_000);
afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
});

const config = (servers: string, env: Record<string, string> = {}) =>
  toClientConfig(
    parseSettings(producerSettings, { KAFKA_BOOTSTRAP_SERVERS: servers, KAFKA_LINGER_MS: "0", ...env }),
    "producer",
  );

interface Outcome {
  error: KafkaError | null;
  place: Delivery;
}

/** Writes two records to a new topic whose leader refuses the request with the first one. */
async function writeTwo(env: Record<string, string>) {
  const topic = `new-leader-${crypto.randomUUID()}`;
  const admin = await createAdmin({ config: config(home.directServers) });
  await admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
  await admin.close();
  const outcomes = new Map<unknown, Outcome>();
  const producer = createProducer({
    config: config(home.proxiedServers, env),
    topic,
    onOutcome: (error, { topic, partition, offset }, context) =>
      outcomes.set(context, { error, place: { topic, partition, offset } }),
  });
  await producer.connect(10_000);
  const isHeld = home.proxy.refuseNext();
  producer.produce({ topic, key: "k", value: "first", context: "first" });
  await isHeld;
  producer.produce({ topic, key: "k", value: "second", context: "second" });
  await until("both outcomes", () => outcomes.size === 2);
  await producer.close(10_000);
  const records: ConsumedRecord[] = [];
  for await (const batch of readTopic({ config: config(home.directServers), topic })) records.push(...batch);
  return { outcomes, values: records.map(({ value }) => value!.toString()) };
}

// Kafka lets a producer that a partition doesn't know begin with any sequence number. So the request behind the refused
// one was taken, and librdkafka (2.15.1, rd_kafka_dr_implicit_ack) took that for a sign that the first had been written
// too: its records were reported as delivered and were nowhere.
describe("the first request is refused", () => {
  test("with a service's settings both records are stored, in order", async () => {
    const { outcomes, values } = await writeTwo({});
    expect(values).toEqual(["first", "second"]);
    expect(outcomes.get("first")).toMatchObject({ error: null, place: { partition: 0, offset: 0 } });
    expect(outcomes.get("second")).toMatchObject({ error: null, place: { partition: 0, offset: 1 } });
  }, 60_000);

  test("with several requests under way, what isn't there isn't called stored", async () => {
    const { outcomes, values } = await writeTwo({ KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "5" });
    for (const [value, { error, place }] of outcomes) {
      if (error === null) expect([value, values[place.offset]]).toEqual([value, value]);
      else expect(error).toMatchObject({ code: "unconfirmed", canRetry: true });
    }
  }, 60_000);
});
