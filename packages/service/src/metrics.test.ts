import { describe, expect, test } from "bun:test";
import { DURATION_BOUNDS, DurationHistogram, histogramsOf } from "./histogram.ts";
import { counterOf, countersOf, createMetrics, gauge, METRIC_PREFIX, Registry } from "./metrics.ts";
import { version } from "./version.ts";

const lines = async (registry: Registry) =>
  (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("process metrics", () => {
  test("exist, with plausible values", async () => {
    const values = new Map((await lines(createMetrics())).map((line) => line.split(" ") as [string, string]));
    expect(Number(values.get("ingest_process_resident_memory_bytes"))).toBeGreaterThan(1e6);
    expect(Number(values.get("ingest_process_cpu_seconds_total"))).toBeGreaterThan(0);
    expect(Number(values.get("ingest_process_start_time_seconds"))).toBeLessThan(Date.now() / 1_000);
    expect(values.get(`ingest_build_info{version="${version}",bun="${Bun.version}"}`)).toBe("1");
    for (const name of values.keys()) expect(name).toStartWith(METRIC_PREFIX);
  });
});

describe("metrics kept elsewhere", () => {
  test("are read at each scrape", async () => {
    const registry = new Registry();
    let value = 1;
    const byReason: Record<string, number> = { full: 1 };
    gauge(registry, "depth", "h", () => value);
    counterOf(registry, "sent_total", "h", () => value * 10);
    countersOf(registry, "refused_total", "h", "reason", () => byReason);
    expect(await lines(registry)).toEqual([
      "ingest_depth 1",
      "ingest_sent_total 10",
      'ingest_refused_total{reason="full"} 1',
    ]);
    value = 2;
    byReason.timeout = 5;
    expect(await lines(registry)).toEqual([
      "ingest_depth 2",
      "ingest_sent_total 20",
      'ingest_refused_total{reason="full"} 1',
      'ingest_refused_total{reason="timeout"} 5',
    ]);
  });
});

describe("DurationHistogram", () => {
  test("a duration counts in the first bucket that is not below it", () => {
    const histogram = new DurationHistogram([0.001, 0.01, 0.1]);
    for (const ms of [0, 1, 1.001, 10, 99, 101, 1e9]) histogram.add(ms);
    expect([...histogram.counts]).toEqual([2, 2, 1, 2]);
  });

  test("is exposed as Prometheus requires: cumulative, in seconds", async () => {
    const registry = new Registry();
    const histogram = new DurationHistogram([0.001, 0.01]);
    for (const ms of [0.5, 5, 50]) histogram.add(ms);
    histogramsOf(registry, "took_seconds", "How long", "route", { "/a": histogram });
    expect(await lines(registry)).toEqual([
      'ingest_took_seconds_bucket{route="/a",le="0.001"} 1',
      'ingest_took_seconds_bucket{route="/a",le="0.01"} 2',
      'ingest_took_seconds_bucket{route="/a",le="+Inf"} 3',
      'ingest_took_seconds_sum{route="/a"} 0.0555',
      'ingest_took_seconds_count{route="/a"} 3',
    ]);
    expect(await registry.metrics()).toContain("# TYPE ingest_took_seconds histogram");
  });

  test("its bounds ascend", () => {
    expect([...DURATION_BOUNDS].sort((a, b) => a - b)).toEqual([...DURATION_BOUNDS]);
  });
});
