import { expect, test } from "bun:test";
import { Counters } from "./counters.ts";
import { PartitionTask } from "./loop/partition-task.ts";
import { createConsumerMetrics } from "./metrics.ts";

function scrape(counters: Counters): Promise<string> {
  const task = new PartitionTask({ topic: "events", partition: 2 }, 1, () => undefined);
  return createConsumerMetrics({
    counters,
    tasks: () => [task],
    statistics: () => undefined,
    isConnected: () => true,
    stalledForMs: () => 1_500,
  }).metrics();
}

test("counters and gauges are read at the scrape", async () => {
  const counters = new Counters();
  counters.handled = 5;
  const text = await scrape(counters);
  expect(text).toContain("ingest_consumer_events_handled_total 5\n");
  expect(text).toContain('ingest_consumer_in_flight{topic="events",partition="2"} 0\n');
  expect(text).toContain("ingest_consumer_stalled_seconds 1.5\n");
  expect(text).toContain("ingest_consumer_connected 1\n");
});

test("durations are a histogram with cumulative buckets", async () => {
  const counters = new Counters();
  counters.handleTime.add(0.0005); // below the first bound
  counters.handleTime.add(0.004, 3); // 4 µs, a bound itself
  counters.handleTime.add(1_000);
  counters.handleTime.add(1e12); // beyond the last
  const lines = (await scrape(counters))
    .split("\n")
    .filter((line) => line.startsWith("ingest_consumer_handle_seconds"));
  const bucket = (le: string) => Number(lines.find((line) => line.includes(`le="${le}"`))?.split(" ")[1]);
  expect(bucket("0.000001")).toBe(1);
  expect(bucket("0.000002")).toBe(1);
  expect(bucket("0.000004")).toBe(4);
  expect(bucket("0.524288")).toBe(4);
  expect(bucket("1.048576")).toBe(5);
  expect(bucket("+Inf")).toBe(6);
  expect(lines.at(-1)).toBe("ingest_consumer_handle_seconds_count 6");
});
