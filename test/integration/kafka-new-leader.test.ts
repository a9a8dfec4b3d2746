// A broker that does not lead a partition yet: metadata names it as the leader moments before it is one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createProducer, type Delivery, type KafkaError } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { KafkaFixture, type ProxiedBroker, RefusingProxy, startProxiedBroker } from "@ingest/testkit/kafka";

let kafka: ProxiedBroker<RefusingProxy>;
let cluster: KafkaFixture;
beforeAll(async () => {
  kafka = await startProxiedBroker(RefusingProxy.start);
  cluster = await KafkaFixture.connect(kafka.directServers);
}, 120_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await kafka?.[Symbol.asyncDispose]();
});

interface Outcome {
  error: KafkaError | null;
  place: Delivery;
}

/** Produces two records to a new topic whose leader refuses the request that has the first one. */
async function writeTwo(env: Record<string, string>) {
  const topic = await cluster.createTopic(1);
  const outcomes = new Map<unknown, Outcome>();
  const producer = createProducer({
    config: cluster.config({ KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers, KAFKA_LINGER_MS: "0", ...env }),
    onOutcome: (error, { topic, partition, offset }, context) =>
      outcomes.set(context, { error, place: { topic, partition, offset } }),
  });
  await producer.connect(10_000);
  const isHeld = kafka.proxy.refuseNext();
  producer.produce({ topic, key: "k", value: "first", context: "first" });
  await isHeld;
  producer.produce({ topic, key: "k", value: "second", context: "second" });
  await until("both outcomes", () => outcomes.size === 2);
  await producer.close(10_000);
  const records = await cluster.read(topic);
  return { outcomes, values: records.map(({ value }) => value!.toString()) };
}

// Kafka accepts any first sequence number from a producer that is new to a partition. So it stored the request behind the
// refused one, and librdkafka (2.15.1, rd_kafka_dr_implicit_ack) concluded that the refused one had been stored too: it
// reported records as delivered that no partition had.
describe("the first request is refused", () => {
  test("with the services' settings both records are stored, in order", async () => {
    const { outcomes, values } = await writeTwo({});
    expect(values).toEqual(["first", "second"]);
    expect(outcomes.get("first")).toMatchObject({ error: null, place: { partition: 0, offset: 0 } });
    expect(outcomes.get("second")).toMatchObject({ error: null, place: { partition: 0, offset: 1 } });
  }, 60_000);

  test("with several requests in flight, no record is reported as stored that is not", async () => {
    const { outcomes, values } = await writeTwo({ KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "5" });
    for (const [value, { error, place }] of outcomes) {
      if (error === null) expect([value, values[place.offset]]).toEqual([value, value]);
      else expect(error).toMatchObject({ code: "unconfirmed", canRetry: true });
    }
  }, 60_000);
});
