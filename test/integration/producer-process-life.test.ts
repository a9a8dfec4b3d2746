// The producer as a process: settings that can't be, ports that are taken, signals, a Kafka that isn't there yet.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, sharedBroker, startBroker } from "@ingest/broker";
import { clientSettings, createAdmin, type KafkaAdmin, readTopic, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import { type ProducerProcess, runToEnd, startProducer } from "./producer-process.ts";

const TIMEOUT_MS = 120_000;
let bootstrapServers: string;
let admin: KafkaAdmin;
const topics: string[] = [];

beforeAll(async () => {
  ({ bootstrapServers } = await sharedBroker());
  admin = await createAdmin({ config: config(bootstrapServers) });
}, TIMEOUT_MS);
afterAll(async () => {
  for (const topic of topics) await admin.deleteTopic(topic).catch(() => undefined);
  await admin?.close();
});

function config(servers: string) {
  return toClientConfig(parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: servers }), "admin");
}

function newTopic(): string {
  const topic = `producer-life-${crypto.randomUUID()}`;
  topics.push(topic);
  return topic;
}

async function idsIn(topic: string, servers = bootstrapServers): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of readTopic({ config: config(servers), topic }))
    for (const { value } of batch) ids.push((JSON.parse(value!.toString()) as { event_id: string }).event_id);
  return ids;
}

/** Sends events until it is told to stop or the service is gone; which were taken is known by their ids. */
function load(service: ProducerProcess, connections: number) {
  const accepted = new Set<string>();
  let isStopped = false;
  let next = 0;
  const send = async () => {
    while (!isStopped) {
      const event_id = `e-${next++}`;
      const response = await service
        .post("/register_event", { event_type: "load", event_id, user_id: `u-${next % 10}` })
        .catch(() => undefined);
      if (response?.status === 202) accepted.add(event_id);
      else if (response === undefined) return;
      await response?.body?.cancel();
    }
  };
  const done = Promise.all(Array.from({ length: connections }, send));
  return {
    accepted,
    async stop() {
      isStopped = true;
      await done;
    },
  };
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "ingest-journal-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("settings", () => {
  test("that can't be used are all named before anything is opened", async () => {
    const { code, output } = await runToEnd({
      PORT: "http",
      MAX_EVENT_BYTES: "5000000",
      KAFKA_LINGER: "5",
      DEFAULT_DURABILITY: "forever",
    });
    expect(code).toBe(2);
    for (const name of ["PORT", "DEFAULT_DURABILITY"]) expect(output).toContain(name);
  });

  test("that contradict each other are refused", async () => {
    const { code, output } = await runToEnd({
      MAX_EVENT_BYTES: "999000",
      KAFKA_LINGER: "5",
      DEFAULT_DURABILITY: "durable",
      JOURNAL_ENABLED: "false",
    });
    expect(code).toBe(2);
    expect(output).toContain("MAX_EVENT_BYTES");
    expect(output).toContain("did you mean KAFKA_LINGER_MS");
    expect(output).toContain("DEFAULT_DURABILITY");
  });
});

test(
  "a port that is taken ends the start with its number, alone and with workers",
  async () => {
    using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", reusePort: true, fetch: () => new Response() });
    for (const WORKERS of ["1", "2"]) {
      const env = {
        KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
        KAFKA_TOPIC: newTopic(),
        JOURNAL_ENABLED: "false",
      };
      const { code, output } = await runToEnd({ ...env, PORT: String(taken.port), WORKERS });
      expect(code).toBe(1);
      expect(output).toContain(`can't listen on 127.0.0.1:${taken.port}`);
    }
  },
  TIMEOUT_MS,
);

describe("SIGTERM", () => {
  test.each(["1", "2"])(
    "under load, with WORKERS=%s: requests end, everything accepted is in the topic, exit 0",
    async (WORKERS) => {
      const topic = newTopic();
      await using service = await startProducer({
        env: {
          KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
          KAFKA_TOPIC: topic,
          WORKERS,
          KAFKA_LINGER_MS: "200",
        },
      });
      const traffic = load(service, 16);
      await until("some load", async () => traffic.accepted.size > 500);
      service.kill("SIGTERM");
      expect(await service.exited).toBe(0);
      await traffic.stop();
      const landed = await idsIn(topic);
      const missing = [...traffic.accepted].filter((id) => !new Set(landed).has(id));
      expect(missing).toEqual([]);
      expect(service.lines.some(({ level }) => level === "error")).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "a second one forces",
    async () => {
      await using service = await startProducer({
        env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_TOPIC: newTopic(), BODY_TIMEOUT_MS: "50000" },
      });
      // A request that doesn't end holds the stop up.
      const hanging = fetch(`${service.url}/register_event`, {
        method: "POST",
        body: new ReadableStream(),
      }).catch(() => undefined);
      await until(
        "a request under way",
        async () => (await service.metrics()).get("ingest_http_requests_in_flight") === 1,
      );
      service.kill("SIGTERM");
      await until("stopping", async () => service.lines.some(({ message }) => message === "stopping"));
      service.kill("SIGTERM");
      expect(await service.exited).toBe(1);
      await hanging;
    },
    TIMEOUT_MS,
  );
});

describe("Kafka", () => {
  test(
    "is away all the time: SIGTERM ends it with 0 all the same, and what it accepted is in the journal",
    async () => {
      await using folder = await temporaryFolder();
      const env = { KAFKA_TOPIC: newTopic(), KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` };
      await using service = await startProducer({ env, journalDir: folder.path, untilReady: false });
      await until(
        "taken",
        async () => (await service.post("/register_event", { event_type: "a", event_id: "kept" })).ok,
      );
      service.kill("SIGTERM");
      expect(await service.exited).toBe(0);
      expect(service.lines.find(({ journalled }) => journalled !== undefined)).toMatchObject({
        journalled: 1,
      });

      await using next = await startProducer({
        env: { ...env, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers },
        journalDir: folder.path,
      });
      await until("replayed", async () => (await next.metrics()).get("ingest_delivered_total") === 1);
      expect(await idsIn(env.KAFKA_TOPIC)).toEqual(["kept"]);
    },
    TIMEOUT_MS,
  );

  test(
    "isn't there at the start: alive, refusing; then it comes, and events are taken",
    async () => {
      const port = await freePort();
      await using service = await startProducer({
        env: { KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`, KAFKA_TOPIC: "late", JOURNAL_ENABLED: "false" },
        untilReady: false,
      });
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
      const notReady = await fetch(`${service.url}/health/ready`);
      expect(notReady.status).toBe(503);
      const refused = await service.post("/register_event", { event_type: "early" });
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).not.toBeNull();
      expect(((await refused.json()) as { code: string }).code).toBe("kafka_unavailable");

      await using broker = await startBroker({ port });
      await until("ready", async () => (await fetch(`${service.url}/health/ready`)).ok);
      const taken = await service.post("/register_event?durability=stored", {
        event_type: "a",
        event_id: "late-1",
      });
      expect(taken.status).toBe(201);
      expect(await idsIn("late", broker.bootstrapServers)).toEqual(["late-1"]);
    },
    TIMEOUT_MS,
  );

  test(
    "stops and starts again under load: with the journal nobody is refused, and nothing accepted is lost",
    async () => {
      await using broker = await startBroker({});
      const topic = "restart";
      await using service = await startProducer({
        env: { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers, KAFKA_TOPIC: topic },
      });
      const traffic = load(service, 8);
      await until("some load", async () => traffic.accepted.size > 300);
      await broker.kill("SIGKILL");
      await until("spooling", async () => ((await service.metrics()).get("ingest_spooling") ?? 0) === 1);
      const before = traffic.accepted.size;
      await until("events taken without Kafka", async () => traffic.accepted.size > before + 300);
      expect((await fetch(`${service.url}/health/ready`)).ok).toBe(true);
      await broker.restart();
      await until(
        "the journal has caught up",
        async () => (await service.metrics()).get("ingest_spooling") === 0,
      );
      await traffic.stop();
      service.kill();
      expect(await service.exited).toBe(0);
      const landed = new Set(await idsIn(topic, broker.bootstrapServers));
      expect([...traffic.accepted].filter((id) => !landed.has(id))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
