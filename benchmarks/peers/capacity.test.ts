import { expect, test } from "bun:test";
import { capacityMarkdown, toCapacity } from "./capacity.ts";
import type { Report } from "./report-schema.ts";

const summary = (median: number) => ({ median, min: median, max: median, count: 1 });

/** Only what the plan needs. */
const report = {
  consumer: [{ round: 0, void: [], cpuMicrosPerEvent: 6 }],
  samples: [{ server: "ingest", load: "c64", void: [], storedBytesPerEvent: 200 }],
  summary: [{ server: "ingest", load: "c64", cpuMicrosPerEvent: summary(12) }],
} as unknown as Report;

test("cores are planned to 60 %, and the smallest cluster has three brokers", () => {
  const [small, , million] = toCapacity(report);
  expect(small).toMatchObject({ eventsPerSecond: 10_000, workers: 1, brokers: 3, partitions: 6 });
  // 1 M × 12 µs = 12 cores at full load; 1 M × 200 B × 3 replicas = 600 MB/s over brokers of 60.
  expect(million).toMatchObject({ workers: 20, consumers: 10, brokers: 10, partitions: 20 });
});

test("without measurements of the consumer there is no plan, and no text", () => {
  expect(capacityMarkdown({ ...report, consumer: [] })).toBe("");
  expect(capacityMarkdown(report)).toContain(
    "| one event a request | 1,000,000 | 20 | 10 | 10 | 20 | 600 MB/s |",
  );
});
