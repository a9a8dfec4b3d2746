// Several producer processes on one port, on a real broker.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { sharedBroker } from "@ingest/broker";
import { clientSettings, createAdmin, type KafkaAdmin, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import { isReady, type ProducerProcess, startProducer } from "./producer-process.ts";

const TIMEOUT_MS = 120_000;
const WORKERS = 3;
let admin: KafkaAdmin;
let bootstrapServers: string;
const topic = `producer-workers-${crypto.randomUUID()}`;

beforeAll(async () => {
  ({ bootstrapServers } = await sharedBroker());
  const settings = parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers });
  admin = await createAdmin({ config: toClientConfig(settings, "admin") });
}, TIMEOUT_MS);
afterAll(async () => {
  await admin?.deleteTopic(topic).catch(() => undefined);
  await admin?.close();
});

const start = (env: Record<string, string> = {}) =>
  startProducer({
    env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_TOPIC: topic, WORKERS: String(WORKERS), ...env },
  });

/** The process ids of a process's children, as Linux tells them: the fourth field of a process's stat is its parent. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false; // it has ended meanwhile
      }
    });
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const stored = async () => (await admin.offsets(topic)).reduce((sum, { low, high }) => sum + high - low, 0);

/** Each on a connection of its own, so that the system spreads them. */
async function send(service: ProducerProcess, count: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: count }, () =>
      service.post("/register_event", { event_type: "a" }, { connection: "close" }).catch(() => undefined),
    ),
  );
  return answers.filter((answer) => answer?.status === 202).length;
}

test(
  "share the work; any of them answers for all; a dead one is replaced; SIGTERM ends them in order",
  async () => {
    await using service = await start();
    expect(childrenOf(service.pid)).toHaveLength(WORKERS);

    expect(await send(service, 300)).toBe(300);
    for (let ask = 0; ask < 10; ask++) {
      const figures = await service.metrics();
      expect(figures.get("ingest_workers")).toBe(WORKERS);
      expect(figures.get('ingest_events_total{outcome="accepted"}')).toBe(300);
    }

    await until("delivery", async () => (await service.metrics()).get("ingest_delivered_total") === 300);
    const [victim] = childrenOf(service.pid);
    process.kill(victim!, "SIGKILL");
    await until("another worker", async () => {
      const children = childrenOf(service.pid);
      return children.length === WORKERS && !children.includes(victim!);
    });
    await until("all workers ready", () => isReady(service.url));
    expect((await service.metrics()).get('ingest_worker_restarts_total{reason="ended"}')).toBe(1);
    expect(await send(service, 100)).toBe(100);

    const children = childrenOf(service.pid);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
    expect(children.filter(exists)).toEqual([]);
    expect(await stored()).toBe(400);
  },
  TIMEOUT_MS,
);

test(
  "one that is stopped is replaced while the service runs, and doesn't outlive it when it ends",
  async () => {
    await using service = await start({ WORKER_HUNG_MS: "1000", SHUTDOWN_TIMEOUT_MS: "1000" });
    const [victim] = childrenOf(service.pid);
    process.kill(victim!, "SIGSTOP");
    await until("another worker", async () => {
      const children = childrenOf(service.pid);
      return children.length === WORKERS && !children.includes(victim!);
    });
    await until("all workers ready", () => isReady(service.url));
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
  "end when their parent is killed",
  async () => {
    await using service = await start();
    const children = childrenOf(service.pid);
    service.kill("SIGKILL");
    await service.exited;
    await until("their end", async () => !children.some(exists));
  },
  TIMEOUT_MS,
);
