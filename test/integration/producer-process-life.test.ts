// The producer as a process: invalid settings, ports in use, signals, a Kafka that is unavailable at the start.
import { afterAll, describe, expect, test } from "bun:test";
import { freePort, startBroker } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** Starts the producer with settings with which it exits by itself. */
async function runToExit(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  await using producer = new ProducerProcess(env);
  const code = await producer.exited;
  const log = producer.lines.map((line) => JSON.stringify(line)).join("\n");
  return { code, output: log + producer.textLines.join("\n") + producer.stderr };
}

/** Sends events until it is stopped or the service is gone. @returns the ids of the accepted ones */
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

test.each([
  [
    "invalid settings",
    { PORT: "http", MAX_EVENT_BYTES: "5000000", KAFKA_LINGER: "5", DEFAULT_DURABILITY: "forever" },
    ["PORT", "DEFAULT_DURABILITY"],
  ],
  [
    "contradictory and unknown settings",
    {
      MAX_EVENT_BYTES: "999000",
      KAFKA_LINGER: "5",
      DEFAULT_DURABILITY: "durable",
      JOURNAL_ENABLED: "false",
    },
    ["MAX_EVENT_BYTES", "did you mean KAFKA_LINGER_MS", "DEFAULT_DURABILITY"],
  ],
])("%s are all listed before anything starts", async (_, env, expected) => {
  const { code, output } = await runToExit(env as Record<string, string>);
  expect(code).toBe(2);
  for (const text of expected) expect(output).toContain(text);
});

test(
  "a port in use ends the start with a message that names it, with one process and with workers",
  async () => {
    using occupant = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      reusePort: true,
      fetch: () => new Response(),
    });
    for (const WORKERS of ["1", "2"]) {
      const env = {
        ...kafka.env,
        KAFKA_TOPIC: kafka.topicName(),
        JOURNAL_ENABLED: "false",
      };
      const { code, output } = await runToExit({ ...env, PORT: String(occupant.port), WORKERS });
      expect(code).toBe(1);
      expect(output).toContain(`can't listen on 127.0.0.1:${occupant.port}`);
    }
  },
  TIMEOUT_MS,
);

describe("a stop signal", () => {
  test.each([
    ["SIGTERM", "1"],
    ["SIGTERM", "2"],
    ["SIGINT", "1"],
    ["SIGQUIT", "1"],
    ["SIGHUP", "1"],
    ["SIGHUP", "2"],
  ] as const)(
    "%s under load, with WORKERS=%s: requests complete, every accepted event is in the topic, exit code 0",
    async (signal, WORKERS) => {
      const topic = kafka.topicName();
      await using service = await startProducer({
        env: {
          ...kafka.env,
          KAFKA_TOPIC: topic,
          WORKERS,
          KAFKA_LINGER_MS: "200",
        },
      });
      const traffic = load(service, 16);
      await until("some load", async () => traffic.accepted.size > 500);
      service.kill(signal);
      expect(await service.exited).toBe(0);
      await traffic.stop();
      const stored = await kafka.readEventIds(topic);
      const missing = [...traffic.accepted].filter((id) => !new Set(stored).has(id));
      expect(missing).toEqual([]);
      expect(service.lines.some(({ level }) => level === "error")).toBe(false);
    },
    TIMEOUT_MS,
  );

  test(
    "SIGTERM: a second one ends it at once",
    async () => {
      await using service = await startProducer({
        env: { ...kafka.env, KAFKA_TOPIC: kafka.topicName(), BODY_TIMEOUT_MS: "50000" },
      });
      // A request that never completes delays the shutdown.
      const hanging = fetch(`${service.url}/register_event`, {
        method: "POST",
        body: new ReadableStream(),
      }).catch(() => undefined);
      await until(
        "a request in flight",
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
    "is never available: SIGTERM ends it with 0, and accepted events are in the journal",
    async () => {
      using folder = temporaryFolder("journal");
      const env = {
        KAFKA_TOPIC: kafka.topicName(),
        KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}`,
      };
      await using service = await startProducer({ env, journalDir: folder.path, untilReady: false });
      await until(
        "the event accepted",
        async () => (await service.post("/register_event", { event_type: "a", event_id: "kept" })).ok,
      );
      service.kill("SIGTERM");
      expect(await service.exited).toBe(0);
      expect(service.lines.find(({ journalled }) => journalled !== undefined)).toMatchObject({
        journalled: 1,
      });

      await using next = await startProducer({
        env: { ...env, ...kafka.env },
        journalDir: folder.path,
      });
      await until("the replay", async () => (await next.metrics()).get("ingest_delivered_total") === 1);
      expect(await kafka.readEventIds(env.KAFKA_TOPIC)).toEqual(["kept"]);
    },
    TIMEOUT_MS,
  );

  test(
    "is unavailable at the start: live, rejecting events; accepting them once it is available",
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
      const accepted = await service.post("/register_event?durability=stored", {
        event_type: "a",
        event_id: "late-1",
      });
      expect(accepted.status).toBe(201);
      await using cluster = await KafkaFixture.connect(broker.bootstrapServers);
      expect(await cluster.readEventIds("late")).toEqual(["late-1"]);
    },
    TIMEOUT_MS,
  );

  test(
    "restarts under load: with the journal no event is rejected, and no accepted event is lost",
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
      await until("events accepted without Kafka", async () => traffic.accepted.size > before + 300);
      expect((await fetch(`${service.url}/health/ready`)).ok).toBe(true);
      await broker.restart();
      await until("the end of spooling", async () => (await service.metrics()).get("ingest_spooling") === 0);
      await traffic.stop();
      service.kill();
      expect(await service.exited).toBe(0);
      await using cluster = await KafkaFixture.connect(broker.bootstrapServers);
      const stored = new Set(await cluster.readEventIds(topic));
      expect([...traffic.accepted].filter((id) => !stored.has(id))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
