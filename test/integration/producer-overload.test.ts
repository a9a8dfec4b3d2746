// More than it can serve: refused, and its memory stays within what compose.yaml gives it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { sharedBroker } from "@ingest/broker";
import { clientSettings, createAdmin, type KafkaAdmin, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { startProducer } from "./producer-process.ts";

const TIMEOUT_MS = 180_000;
const BUDGET_MIB = 512;
const topic = `producer-overload-${crypto.randomUUID()}`;
let bootstrapServers: string;
let admin: KafkaAdmin;

beforeAll(async () => {
  ({ bootstrapServers } = await sharedBroker());
  const settings = parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers });
  admin = await createAdmin({ config: toClientConfig(settings, "admin") });
}, TIMEOUT_MS);
afterAll(async () => {
  await admin?.deleteTopic(topic).catch(() => undefined);
  await admin?.close();
});

/** The most memory that a process has held, MiB, as Linux tells it. */
function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test.skipIf(!existsSync("/proc/self/status")).each(["false", "true"])(
  "large events from 200 connections at once, with JOURNAL_ENABLED=%s",
  async (JOURNAL_ENABLED) => {
    await using service = await startProducer({
      env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_TOPIC: topic, JOURNAL_ENABLED },
    });
    const body = JSON.stringify({ event_type: "large", payload: { p: "x".repeat(400_000) } });
    const byStatus = new Map<number, number>();
    let left = 2_000;
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        while (left-- > 0) {
          const response = await service.post("/register_event", body);
          await response.body?.cancel();
          byStatus.set(response.status, (byStatus.get(response.status) ?? 0) + 1);
        }
      }),
    );
    expect([...byStatus.keys()].filter((status) => status !== 202 && status !== 503)).toEqual([]);
    expect(byStatus.get(202)).toBeGreaterThan(0);
    expect(peakMiB(service.pid)).toBeLessThan(BUDGET_MIB);
    expect((await fetch(`${service.url}/health/live`)).ok).toBe(true);
    service.kill();
    expect(await service.exited).toBe(0);
  },
  TIMEOUT_MS,
);
