import { describe, expect, test } from "bun:test";
import { Counter, createMetrics, DurationHistogram, Gauge, histogramsOf, Registry } from "@ingest/service";
import { aggregate } from "./aggregate.ts";
import type { WorkerReport } from "./messages.ts";

async function report(ok: boolean, requests: number): Promise<WorkerReport> {
  const registry = createMetrics();
  new Counter({
    name: "ingest_requests_total",
    help: "h",
    labelNames: ["status"],
    registers: [registry],
  }).inc({ status: "202" }, requests);
  new Gauge({ name: "ingest_oldest_seconds", help: "h", registers: [registry], aggregator: "max" }).set(
    requests,
  );
  const histogram = new DurationHistogram([0.001, 1]);
  histogram.add(requests);
  histogramsOf(registry, "duration_seconds", "h", "route", { "/a": histogram });
  // As the channel serializes it.
  return JSON.parse(
    JSON.stringify({ ready: { ok, kafka: "connected" }, metrics: await registry.getMetricsAsJSON() }),
  ) as WorkerReport;
}

const lines = (text: string) => text.split("\n");

describe("metrics", () => {
  test("of all workers and the parent are aggregated", async () => {
    const parent = new Registry();
    new Counter({ name: "ingest_worker_restarts_total", help: "h", registers: [parent] }).inc(3);
    const { metrics } = await aggregate(
      [
        { index: 0, report: await report(true, 0.5) },
        { index: 1, report: await report(true, 20) },
        { index: 2 },
      ],
      parent,
    );
    expect(lines(metrics)).toEqual(
      expect.arrayContaining([
        'ingest_requests_total{status="202"} 20.5',
        "ingest_oldest_seconds 20",
        'ingest_duration_seconds_bucket{route="/a",le="0.001"} 1',
        'ingest_duration_seconds_bucket{route="/a",le="1"} 2',
        'ingest_duration_seconds_bucket{route="/a",le="+Inf"} 2',
        'ingest_duration_seconds_count{route="/a"} 2',
        "ingest_worker_restarts_total 3",
      ]),
    );
    const started = lines(metrics).find((line) => line.startsWith("ingest_process_start_time_seconds"))!;
    expect(Number(started.split(" ")[1])).toBeLessThanOrEqual(Date.now() / 1_000);
  });
});

describe("ready", () => {
  const readyOf = async (oks: (boolean | undefined)[]) => {
    const states = await Promise.all(
      oks.map(async (ok, index) => (ok === undefined ? { index } : { index, report: await report(ok, 1) })),
    );
    return (await aggregate(states, new Registry())).ready;
  };

  test("while any worker is, with the status of each", async () => {
    expect(await readyOf([true, false, undefined])).toEqual({
      ok: true,
      workers: [
        { worker: 0, status: "ok", kafka: "connected" },
        { worker: 1, status: "unavailable", kafka: "connected" },
        { worker: 2, status: "unresponsive" },
      ],
    });
  });

  test.each([[[false, false]], [[undefined, false]], [[undefined]]])(
    "not ready when no worker is: %j",
    async (oks) => {
      expect((await readyOf(oks)).ok).toBe(false);
    },
  );
});
