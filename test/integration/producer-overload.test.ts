// More load than the producer can serve is rejected, and its memory stays within compose.yaml's limit.
import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 180_000;
const BUDGET_MIB = 640;
const kafka = await KafkaFixture.shared();
const topic = kafka.topicName();
afterAll(() => kafka[Symbol.asyncDispose]());

/** A process's peak resident memory, MiB (Linux). */
function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test.skipIf(!existsSync("/proc/self/status")).each(["false", "true"])(
  "large events from 200 connections at once, with JOURNAL_ENABLED=%s",
  async (JOURNAL_ENABLED) => {
    await using service = await startProducer({
      env: { ...kafka.env, KAFKA_TOPIC: topic, JOURNAL_ENABLED },
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
