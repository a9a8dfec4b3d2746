import { expect, test } from "bun:test";
import { Registry } from "@ingest/service";
import { registerProducerGauges } from "./gauges.ts";
import { type ProducerStatistics, toProducerStatistics } from "./statistics.ts";

test("a scrape shows the latest statistics, and zeros before the first", async () => {
  const registry = new Registry();
  let statistics: ProducerStatistics | undefined;
  registerProducerGauges(registry, () => statistics);
  expect(await registry.metrics()).toContain("\ningest_kafka_brokers_up 0\n");
  expect(await registry.metrics()).not.toContain('broker="');

  statistics = toProducerStatistics(
    JSON.stringify({
      msg_cnt: 5,
      brokers: {
        one: { nodeid: 1, state: "UP", rtt: { p50: 2_000 } },
        bootstrap: { nodeid: -1, state: "INIT" },
      },
    }),
  );
  const text = await registry.metrics();
  expect(text).toContain("\ningest_kafka_brokers_up 1\n");
  expect(text).toContain("\ningest_kafka_queue_messages 5\n");
  expect(text).toContain('\ningest_kafka_broker_round_trip_p50_seconds{broker="1"} 0.002\n');
  expect(text).not.toContain('broker="-1"');
});
