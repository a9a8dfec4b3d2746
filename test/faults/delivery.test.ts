// Delivery and its journal on a real broker that is killed, stopped, cut off and slowed: everything that was taken
// arrives, and each key's events in the order in which they were taken.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  clientSettings,
  createAdmin,
  type KafkaAdmin,
  producerSettings,
  readTopic,
  toClientConfig,
  topicSettings,
} from "@ingest/kafka";
import { createLog, logSettings, parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import {
  createDelivery,
  type Delivery,
  deliverySettings,
} from "../../services/producer/src/delivery/index.ts";
import { type ProxiedBroker, startProxiedBroker } from "./kit/proxied-broker.ts";
import { TcpProxy } from "./kit/proxy.ts";

const KEYS = 7;
const PADDING = "x".repeat(200);

let kafka: ProxiedBroker;
let admin: KafkaAdmin;
const homes: string[] = [];

beforeAll(async () => {
  kafka = await startProxiedBroker(TcpProxy.start);
  const settings = parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: kafka.directServers });
  admin = await createAdmin({ config: toClientConfig(settings, "admin") });
}, 120_000);

afterAll(async () => {
  await admin?.close();
  await kafka?.[Symbol.asyncDispose]();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
}, 60_000);

interface Setup {
  topic: string;
  start(): Promise<Delivery>;
}

async function setUp(env: Record<string, string> = {}): Promise<Setup> {
  const topic = `delivery-${crypto.randomUUID()}`;
  await admin.ensureTopic({ topic, partitions: 3, replicationFactor: 1 });
  const home = mkdtempSync(join(tmpdir(), "delivery-faults-"));
  homes.push(home);
  const settings = parseSettings(
    { ...deliverySettings, ...producerSettings, ...topicSettings, ...logSettings },
    {
      KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers,
      KAFKA_TOPIC: topic,
      JOURNAL_DIR: home,
      DELIVERY_STALL_MS: "1500",
      KAFKA_MESSAGE_TIMEOUT_MS: "6000",
      KAFKA_SOCKET_TIMEOUT_MS: "3000",
      KAFKA_REQUEST_TIMEOUT_MS: "2500",
      LOG_LEVEL: "error",
      ...env,
    },
  );
  const log = createLog("delivery-test", settings);
  const config = toClientConfig(settings, "producer");
  return {
    topic,
    start: async () => {
      const delivery = createDelivery({ settings, config, log });
      await delivery.start();
      await until("a broker", () => delivery.state().connected);
      return delivery;
    },
  };
}

/** Numbered events, key by key in turn. */
class Sender {
  sent = 0;
  readonly waiting: Promise<unknown>[] = [];

  constructor(readonly delivery: Delivery) {}

  send(count: number, how: "accept" | "durable" = "accept"): void {
    for (let i = 0; i < count; i++) {
      const n = this.sent++;
      const event = { id: String(n), key: `k${n % KEYS}`, value: Buffer.from(`${n}:${PADDING}`) };
      if (how === "accept") expect(this.delivery.accept(event).status).toBe("accepted");
      else
        this.waiting.push(this.delivery.durable(event).then(({ status }) => expect(status).toBe("durable")));
    }
  }

  /** Some now and then, of both kinds, until told otherwise. */
  trickle(): () => void {
    const timer = setInterval(() => {
      this.send(5);
      this.send(2, "durable");
    }, 10);
    return () => clearInterval(timer);
  }
}

async function untilDelivered(delivery: Delivery): Promise<void> {
  await until(
    "all to be delivered",
    () => {
      const { inFlight, spooling, journal } = delivery.state();
      return inFlight === 0 && !spooling && journal!.records === 0;
    },
    60_000,
  );
}

/** Everything that was sent is in the topic; a key's numbers rise, counting each the first time it is seen. */
async function expectAllInOrder(topic: string, sent: number): Promise<{ duplicates: number }> {
  const settings = parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: kafka.directServers });
  const seen = new Set<number>();
  const last = new Map<string, number>();
  let [records, disorder] = [0, 0];
  for await (const batch of readTopic({ config: toClientConfig(settings, "consumer"), topic })) {
    for (const record of batch) {
      records++;
      const n = Number.parseInt(record.value!.toString(), 10);
      if (seen.has(n)) continue;
      seen.add(n);
      const key = record.key!.toString();
      if (n < (last.get(key) ?? -1)) disorder++;
      last.set(key, n);
    }
  }
  expect({ seen: seen.size, disorder }).toEqual({ seen: sent, disorder: 0 });
  return { duplicates: records - seen.size };
}

async function underFault(
  fault: () => void | Promise<void>,
  mend: () => void | Promise<void>,
): Promise<void> {
  const { topic, start } = await setUp();
  const delivery = await start();
  const sender = new Sender(delivery);
  const stop = sender.trickle();
  await until("some events", () => sender.sent > 200);
  await fault();
  await until("spooling", () => delivery.state().spooling);
  const before = sender.sent;
  await until("more events", () => sender.sent > before + 500);
  expect(delivery.state().ready).toBe(true);
  await mend();
  await until("the journal to catch up", () => !delivery.state().spooling, 60_000);
  stop();
  await untilDelivered(delivery);
  await Promise.all(sender.waiting);
  await expectAllInOrder(topic, sender.sent);
  expect(await delivery.stop(5_000)).toEqual({ journalled: 0, lost: 0 });
}

describe("nothing that was taken is lost, and no key loses its order", () => {
  test("when the broker is killed and started again", async () => {
    await underFault(
      () => kafka.broker.kill(),
      () => kafka.broker.restart(),
    );
  }, 120_000);

  test("when the broker stops answering for a while", async () => {
    await underFault(
      () => kafka.broker.pause(),
      () => kafka.broker.resume(),
    );
  }, 120_000);

  test("when the connection is cut and no new one can be made", async () => {
    await underFault(
      () => kafka.proxy.cut(),
      () => kafka.proxy.mend(),
    );
  }, 120_000);

  test("when the connection swallows everything", async () => {
    await underFault(
      () => kafka.proxy.silence(),
      () => kafka.proxy.mend(),
    );
  }, 120_000);

  test("when the client's queue runs over on a slow connection", async () => {
    const { topic, start } = await setUp({ KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "500" });
    const delivery = await start();
    const sender = new Sender(delivery);
    kafka.proxy.slow({ delayMs: 50, bytesPerSecond: 200_000 });
    for (let i = 0; i < 10; i++) {
      sender.send(500);
      await Bun.sleep(20);
    }
    expect(delivery.state().counts.spooled).toBeGreaterThan(0);
    kafka.proxy.mend();
    await untilDelivered(delivery);
    await expectAllInOrder(topic, sender.sent);
    await delivery.stop(5_000);
  }, 120_000);

  test("when it is told to stop while Kafka is away, and started again later", async () => {
    const { topic, start } = await setUp();
    const first = await start();
    const sender = new Sender(first);
    sender.send(100);
    kafka.proxy.cut();
    sender.send(300);
    sender.send(50, "durable");
    sender.send(50);
    const { lost } = await first.stop(2_000);
    expect(lost).toBe(0);
    await Promise.all(sender.waiting);
    kafka.proxy.mend();
    const second = await start();
    await untilDelivered(second);
    await expectAllInOrder(topic, sender.sent);
    expect(await second.stop(5_000)).toEqual({ journalled: 0, lost: 0 });
  }, 120_000);
});

describe("stored", () => {
  test("names the record's place, and says so when nobody can know", async () => {
    const { topic, start } = await setUp();
    const delivery = await start();
    const event = (id: string) => ({ id, key: "k", value: Buffer.from(`${id}:`) });
    const stored = await delivery.stored(event("1"), 30_000);
    expect(stored).toMatchObject({ status: "stored", topic });
    kafka.proxy.silence();
    expect(await delivery.stored(event("2"), 500)).toEqual({ status: "unknown" });
    kafka.proxy.mend();
    await untilDelivered(delivery);
    await delivery.stop(5_000);
  }, 60_000);
});
