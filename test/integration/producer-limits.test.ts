// Limits of callers with real processes and a real Kafka: workers share them, and quotas survive a restart.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { childrenOf, temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
const folder = temporaryFolder("limits");
afterAll(async () => {
  folder[Symbol.dispose]();
  await kafka[Symbol.asyncDispose]();
});

const sha256 = createHash("sha256").update("secret").digest("hex");
const RATE = 200;
const BURST = 100;

function start(topic: string, limits: object, env: Record<string, string> = {}, journalDir?: string) {
  const file = join(folder.path, `${topic}.json`);
  writeFileSync(file, JSON.stringify({ callers: [{ id: "shop", keys: [{ sha256 }], limits }] }));
  return startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: topic, CALLERS_FILE: file, ...env },
    ...(journalDir !== undefined && { journalDir }),
  });
}

/** On a connection of its own, so that the kernel distributes them among workers. */
async function send(service: ProducerProcess): Promise<number> {
  const headers = { connection: "close", "x-api-key": "secret" };
  const response = await service.post("/register_event", { event_type: "a" }, headers);
  await response.body?.cancel();
  return response.status;
}

test(
  "two workers together let through no more than the rate and the burst, and a restarted worker refills nothing",
  async () => {
    const topic = kafka.topicName();
    await using service = await start(
      topic,
      { events_per_second: RATE, burst_events: BURST },
      { WORKERS: "2" },
    );
    const workers = childrenOf(service.pid);
    expect(workers).toHaveLength(2);
    const statuses = new Map<number, number>();
    // The bucket may be full when the first request is sent, and is refilled until the last one has its response.
    const startedMs = performance.now();
    let isOver = false;
    const callers = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        const status = await send(service).catch(() => 0);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await until("refusals", () => (statuses.get(429) ?? 0) > 200);
    process.kill(workers[0]!, "SIGKILL");
    await until("another worker", () => {
      const now = childrenOf(service.pid);
      return now.length === 2 && !now.includes(workers[0]!);
    });
    await until("many events", () => (statuses.get(202) ?? 0) > 5 * RATE);
    isOver = true;
    await Promise.all(callers);
    const seconds = (performance.now() - startedMs) / 1_000;

    const accepted = statuses.get(202)!;
    expect(accepted).toBeLessThanOrEqual(RATE * seconds + BURST);
    expect([...statuses.keys()].filter((status) => ![0, 202, 429].includes(status))).toEqual([]);
    const metrics = await service.metrics();
    const limited = metrics.get('ingest_limited_requests_total{caller="shop",limit="events_per_second"}');
    expect(limited).toBeGreaterThan(0);
    expect(await service.stop()).toBe(0);
    // Those of the killed worker may be missing; their responses were only `accepted`.
    expect(await kafka.countRecords(topic)).toBeLessThanOrEqual(accepted + 16);
  },
  TIMEOUT_MS,
);

test(
  "a quota that is used up stays so after a restart, for all workers and for one process",
  async () => {
    const topic = kafka.topicName();
    using journal = temporaryFolder("journal");
    const quota = 50;
    const sendUntilRefused = async (service: ProducerProcess) => {
      let accepted = 0;
      // The other worker may hold what it has not used, which it gives back within two seconds.
      await until("the quota", async () => {
        const status = await send(service);
        if (status === 202) accepted++;
        return status === 429;
      });
      return accepted;
    };
    {
      await using service = await start(topic, { events_per_day: quota }, { WORKERS: "2" }, journal.path);
      expect(await sendUntilRefused(service)).toBe(quota);
      const metrics = await service.metrics();
      expect(metrics.get('ingest_quota_used{caller="shop",unit="events"}')).toBe(quota);
      expect(metrics.get('ingest_quota_max{caller="shop",unit="events"}')).toBe(quota);
      expect(await service.stop()).toBe(0);
    }
    await using service = await start(topic, { events_per_day: quota + 10 }, {}, journal.path);
    expect(await sendUntilRefused(service)).toBe(10);
    expect(await service.stop()).toBe(0);
    expect(await kafka.countRecords(topic)).toBe(quota + 10);
  },
  TIMEOUT_MS,
);

test(
  "a killed process forgets at most what it took in the last second, once the counts before that are written",
  async () => {
    const topic = kafka.topicName();
    using journal = temporaryFolder("journal");
    const quota = 100;
    const used = async (service: ProducerProcess) =>
      (await service.metrics()).get('ingest_quota_used{caller="shop",unit="events"}') ?? 0;
    {
      await using service = await start(topic, { events_per_day: quota }, {}, journal.path);
      for (let n = 0; n < 60; n++) expect(await send(service)).toBe(202);
      expect(await used(service)).toBe(60);
      const file = join(journal.path, "quotas.sqlite");
      await until("the counts in the file", () => countIn(file) === 60);
      service.kill("SIGKILL");
      await service.exited;
    }
    await using service = await start(topic, { events_per_day: quota }, {}, journal.path);
    expect(service.hasLogged("quota file failed: counting quotas in memory alone")).toBe(false);
    expect(await used(service)).toBe(60);
    for (let n = 0; n < 40; n++) expect(await send(service)).toBe(202);
    expect(await send(service)).toBe(429);
    expect(await used(service)).toBe(quota);
  },
  TIMEOUT_MS,
);

/** A copy of the file is read: the process that writes it keeps it locked. What it writes is committed once its journal is empty. */
function countIn(file: string): number {
  const copy = join(folder.path, "copy.sqlite");
  try {
    writeFileSync(copy, readFileSync(file));
    using database = new Database(copy, { readonly: true });
    const { events = 0 } = database.query<{ events: number }, []>("SELECT events FROM usage").get() ?? {};
    return statSync(`${file}-journal`).size === 0 ? events : 0;
  } catch {
    return 0; // It is being written.
  }
}
