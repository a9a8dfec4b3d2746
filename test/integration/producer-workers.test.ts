// Several producer processes on one port, on a real broker.
import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { childrenOf, temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const WORKERS = 3;
const kafka = await KafkaFixture.shared();
const topic = kafka.topicName();
afterAll(() => kafka[Symbol.asyncDispose]());

const start = (env: Record<string, string> = {}) =>
  startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: topic, WORKERS: String(WORKERS), ...env },
  });

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilReplaced(service: ProducerProcess, worker: number): Promise<void> {
  await until("another worker", () => {
    const workers = childrenOf(service.pid);
    return workers.length === WORKERS && !workers.includes(worker);
  });
  await service.untilReady();
}

/** Sends each event on a connection of its own, so that the kernel distributes them. */
async function send(service: ProducerProcess, count: number): Promise<number> {
  const responses = await Promise.all(
    Array.from({ length: count }, () =>
      service.post("/register_event", { event_type: "a" }, { connection: "close" }).catch(() => undefined),
    ),
  );
  return responses.filter((response) => response?.status === 202).length;
}

test(
  "share the requests; each reports for all; a killed one is replaced; SIGTERM ends them all",
  async () => {
    await using service = await start();
    expect(childrenOf(service.pid)).toHaveLength(WORKERS);

    expect(await send(service, 300)).toBe(300);
    for (let ask = 0; ask < 10; ask++) {
      const metrics = await service.metrics();
      expect(metrics.get("ingest_workers")).toBe(WORKERS);
      expect(metrics.get('ingest_events_total{outcome="accepted"}')).toBe(300);
    }

    await until("delivery", async () => (await service.metrics()).get("ingest_delivered_total") === 300);
    const [victim] = childrenOf(service.pid);
    process.kill(victim!, "SIGKILL");
    await untilReplaced(service, victim!);
    expect((await service.metrics()).get('ingest_worker_restarts_total{reason="ended"}')).toBe(1);
    expect(await send(service, 100)).toBe(100);

    const children = childrenOf(service.pid);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
    expect(children.filter(exists)).toEqual([]);
    expect(await kafka.countRecords(topic)).toBe(400);
  },
  TIMEOUT_MS,
);

test(
  "workers that are restarted while CALLERS_FILE is invalid have the callers of its last valid state",
  async () => {
    using folder = temporaryFolder("callers");
    const path = join(folder.path, "callers.json");
    const write = (key: string) => {
      const sha256 = createHash("sha256").update(key).digest("hex");
      writeFileSync(path, JSON.stringify({ callers: [{ id: "shop", keys: [{ sha256 }] }] }));
    };
    write("first");
    await using service = await start({ CALLERS_FILE: path });
    /** On connections of their own, so that the kernel distributes them among the workers. */
    const statusesWith = (key: string) =>
      Promise.all(
        Array.from({ length: 20 }, async () => {
          const headers = { connection: "close", "x-api-key": key };
          return (await service.post("/register_event", { event_type: "a" }, headers)).status;
        }),
      );
    const are = (statuses: number[], status: number) => statuses.every((other) => other === status);
    write("second");
    await until("the reload", async () => are(await statusesWith("second"), 202));
    const linesOf = (text: string) => service.lines.filter(({ message }) => message === text).length;
    await until("the parent's reload", () => linesOf("callers reloaded") === WORKERS + 1);
    writeFileSync(path, "{");
    await until(
      "the bad file noticed",
      () => linesOf("callers file is invalid: keeping the previous callers") === WORKERS + 1,
    );
    for (const victim of childrenOf(service.pid)) {
      process.kill(victim, "SIGKILL");
      await untilReplaced(service, victim);
    }
    expect(are(await statusesWith("second"), 202)).toBe(true);
    expect(are(await statusesWith("first"), 401)).toBe(true);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "a worker that hangs is replaced, and one that hangs at shutdown is killed",
  async () => {
    await using service = await start({ WORKER_HUNG_MS: "1000", SHUTDOWN_TIMEOUT_MS: "1000" });
    const [victim] = childrenOf(service.pid);
    process.kill(victim!, "SIGSTOP");
    await untilReplaced(service, victim!);
    expect((await service.metrics()).get('ingest_worker_restarts_total{reason="hung"}')).toBe(1);
    expect(await send(service, 100)).toBe(100);

    const children = childrenOf(service.pid);
    process.kill(children[0]!, "SIGSTOP");
    service.kill("SIGTERM");
    expect(await service.exited).toBe(1);
    expect(children.filter(exists)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "a signal to the parent and its workers at once, as systemd sends it, loses no accepted event",
  async () => {
    // A long linger: all events are still in the workers' memory when they stop.
    const ownTopic = kafka.topicName();
    await using service = await start({ KAFKA_TOPIC: ownTopic, KAFKA_LINGER_MS: "5000" });
    expect(await send(service, 300)).toBe(300);
    for (const pid of [...childrenOf(service.pid), service.pid]) process.kill(pid, "SIGTERM");
    expect(await service.exited).toBe(0);
    expect(await kafka.countRecords(ownTopic)).toBe(300);
  },
  TIMEOUT_MS,
);

test(
  "exit when their parent is killed",
  async () => {
    await using service = await start();
    const children = childrenOf(service.pid);
    service.kill("SIGKILL");
    await service.exited;
    await until("their exit", async () => !children.some(exists));
  },
  TIMEOUT_MS,
);

test(
  "share ADMIN_PORT as well: health and metrics are there, and not on the public port",
  async () => {
    const adminPort = await freePort();
    await using service = await startProducer({
      env: { ...kafka.env, KAFKA_TOPIC: topic, WORKERS: "2", ADMIN_PORT: String(adminPort) },
      untilReady: false,
    });
    const admin = `http://127.0.0.1:${adminPort}`;
    await until("ready", async () => (await fetch(`${admin}/health/ready`)).ok);
    expect(await (await fetch(`${admin}/metrics`)).text()).toContain("ingest_workers 2");
    expect((await service.fetch("/metrics")).status).toBe(404);
    expect((await service.post("/register_event", { event_type: "a" })).status).toBe(202);
    expect(await service.stop()).toBe(0);
  },
  TIMEOUT_MS,
);
