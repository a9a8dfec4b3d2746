// Delivery and its journal under faults of a real broker and its network: every accepted event is stored, and the events
// of a key keep the order in which they were accepted.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { producerSettings, toClientConfig, topicSettings } from "@ingest/kafka";
import { createLog, logSettings, parseSettings } from "@ingest/service";
import { type TemporaryFolder, temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture, type ProxiedBroker, startProxiedBroker, TcpProxy } from "@ingest/testkit/kafka";
import {
  createDelivery,
  type Delivery,
  deliverySettings,
} from "../../services/producer/src/delivery/index.ts";

const KEYS = 7;
const PADDING = "x".repeat(200);

let kafka: ProxiedBroker;
let cluster: KafkaFixture;
const folders: TemporaryFolder[] = [];

beforeAll(async () => {
  kafka = await startProxiedBroker(TcpProxy.start);
  cluster = await KafkaFixture.connect(kafka.directServers);
}, 120_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await kafka?.[Symbol.asyncDispose]();
  for (const folder of folders) folder[Symbol.dispose]();
}, 60_000);

interface Setup {
  topic: string;
  start(): Promise<Delivery>;
}

async function setUp(env: Record<string, string> = {}): Promise<Setup> {
  const topic = await cluster.createTopic(3);
  const folder = temporaryFolder("delivery");
  folders.push(folder);
  const settings = parseSettings(
    { ...deliverySettings, ...producerSettings, ...topicSettings, ...logSettings },
    {
      KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers,
      KAFKA_TOPIC: topic,
      JOURNAL_DIR: folder.path,
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

/** Sends numbered events, their keys in turn. */
class Sender {
  sent = 0;
  /** Durable events whose outcome is pending. */
  readonly pending: Promise<unknown>[] = [];

  constructor(readonly delivery: Delivery) {}

  send(count: number, durability: "accepted" | "durable" = "accepted"): void {
    for (let i = 0; i < count; i++) {
      const n = this.sent++;
      const event = { id: String(n), key: `k${n % KEYS}`, value: Buffer.from(`${n}:${PADDING}`) };
      if (durability === "accepted") expect(this.delivery.accept(event).status).toBe("accepted");
      else
        this.pending.push(this.delivery.durable(event).then(({ status }) => expect(status).toBe("durable")));
    }
  }

  /** Sends events of both durabilities at a low rate. @returns stops it */
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
    "the delivery of all events",
    () => {
      const { inFlight, spooling, journal } = delivery.state();
      return inFlight === 0 && !spooling && journal!.records === 0;
    },
    60_000,
  );
}

/** Expects every sent event in the topic, and each key's events in order by their first occurrence. */
async function expectAllInOrder(topic: string, sent: number): Promise<void> {
  const seen = new Set<number>();
  const last = new Map<string, number>();
  let outOfOrder = 0;
  for (const record of await cluster.read(topic)) {
    const n = Number.parseInt(record.value!.toString(), 10);
    if (seen.has(n)) continue;
    seen.add(n);
    const key = record.key!.toString();
    if (n < (last.get(key) ?? -1)) outOfOrder++;
    last.set(key, n);
  }
  expect({ stored: seen.size, outOfOrder }).toEqual({ stored: sent, outOfOrder: 0 });
}

/** Sends before, during and after a fault, and expects every event in the topic. */
async function sendDuring(
  beginFault: () => void | Promise<void>,
  endFault: () => void | Promise<void>,
): Promise<void> {
  const { topic, start } = await setUp();
  const delivery = await start();
  const sender = new Sender(delivery);
  const stop = sender.trickle();
  await until("some events", () => sender.sent > 200);
  await beginFault();
  await until("spooling", () => delivery.state().spooling);
  const before = sender.sent;
  await until("more events", () => sender.sent > before + 500);
  expect(delivery.state().ready).toBe(true);
  await endFault();
  await until("the end of spooling", () => !delivery.state().spooling, 60_000);
  stop();
  await untilDelivered(delivery);
  await Promise.all(sender.pending);
  await expectAllInOrder(topic, sender.sent);
  expect(await delivery.stop(5_000)).toEqual({ journalled: 0, lost: 0 });
}

describe("every accepted event is stored, and each key keeps its order", () => {
  test("when the broker is killed and restarted", async () => {
    await sendDuring(
      () => kafka.broker.kill(),
      () => kafka.broker.restart(),
    );
  }, 120_000);

  test("when the broker is paused", async () => {
    await sendDuring(
      () => kafka.broker.pause(),
      () => kafka.broker.resume(),
    );
  }, 120_000);

  test("when connections are reset and new ones fail", async () => {
    await sendDuring(
      () => kafka.proxy.cut(),
      () => kafka.proxy.restore(),
    );
  }, 120_000);

  test("when connections are silent", async () => {
    await sendDuring(
      () => kafka.proxy.silence(),
      () => kafka.proxy.restore(),
    );
  }, 120_000);

  test("when the client's queue is full on a slow connection", async () => {
    const { topic, start } = await setUp({ KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "500" });
    const delivery = await start();
    const sender = new Sender(delivery);
    kafka.proxy.slow({ delayMs: 50, bytesPerSecond: 200_000 });
    await until("spooled events", () => {
      sender.send(500);
      return delivery.state().counts.spooled > 0;
    });
    kafka.proxy.restore();
    await untilDelivered(delivery);
    await expectAllInOrder(topic, sender.sent);
    await delivery.stop(5_000);
  }, 120_000);

  test("when it is stopped while Kafka is unavailable, and restarted later", async () => {
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
    await Promise.all(sender.pending);
    kafka.proxy.restore();
    const second = await start();
    await untilDelivered(second);
    await expectAllInOrder(topic, sender.sent);
    expect(await second.stop(5_000)).toEqual({ journalled: 0, lost: 0 });
  }, 120_000);
});

describe("stored", () => {
  test("returns the record's offset, or that the outcome is unknown", async () => {
    const { topic, start } = await setUp();
    const delivery = await start();
    const event = (id: string) => ({ id, key: "k", value: Buffer.from(`${id}:`) });
    const stored = await delivery.stored(event("1"), 30_000);
    expect(stored).toMatchObject({ status: "stored", topic });
    kafka.proxy.silence();
    expect(await delivery.stored(event("2"), 500)).toEqual({ status: "unknown" });
    kafka.proxy.restore();
    await untilDelivered(delivery);
    await delivery.stop(5_000);
  }, 60_000);
});
