// librdkafka's statistics in a registry: each figure is read from the last snapshot when somebody scrapes.
import { Gauge, gauge, METRIC_PREFIX, type Registry } from "@ingest/service";
import type { BrokerStatistics, ConsumerStatistics, ProducerStatistics } from "./statistics.ts";

/**
 * Registers the client's view of its brokers: `ingest_kafka_brokers_up`, and for each broker its round trip, requests
 * in flight, retries and time-outs.
 * @param read the client's `statistics()`
 */
export function registerBrokerGauges(
  registry: Registry,
  read: () => ProducerStatistics | ConsumerStatistics | undefined,
): void {
  gauge(
    registry,
    "kafka_brokers_up",
    "Brokers that this client is connected to",
    () => read()?.brokersUp ?? 0,
    // Several processes see the same brokers: the one that sees least has trouble.
    "min",
  );
  const figures: readonly [name: string, help: string, of: (broker: BrokerStatistics) => number][] = [
    ["round_trip_p50_seconds", "Median round trip, last interval", (b) => b.roundTripMicrosP50 / 1e6],
    [
      "round_trip_p99_seconds",
      "99th percentile of the round trip, last interval",
      (b) => b.roundTripMicrosP99 / 1e6,
    ],
    ["requests_in_flight", "Requests sent and not answered", (b) => b.requestsInFlight],
    ["request_timeouts", "Requests that timed out since the client was made", (b) => b.requestTimeouts],
    ["request_retries", "Requests sent again since the client was made", (b) => b.retries],
    ["disconnects", "Connections lost since the client was made", (b) => b.disconnects],
  ];
  for (const [name, help, of] of figures) {
    new Gauge({
      name: `${METRIC_PREFIX}kafka_broker_${name}`,
      help,
      labelNames: ["broker"],
      registers: [registry],
      aggregator: name.startsWith("round_trip") ? "max" : "sum",
      collect() {
        this.reset();
        // A bootstrap address is one of the brokers again, before its id is known.
        for (const broker of read()?.brokers ?? [])
          if (broker.id >= 0) this.set({ broker: broker.id }, of(broker));
      },
    });
  }
}

/** Registers what a producer holds and sends: queue against its bounds, batches, totals. */
export function registerProducerGauges(registry: Registry, read: () => ProducerStatistics | undefined): void {
  registerBrokerGauges(registry, read);
  const figures: readonly [name: string, help: string, of: (s: ProducerStatistics) => number][] = [
    ["queue_messages", "Records waiting in the client or in flight", (s) => s.queueMessages],
    ["queue_bytes", "Their bytes", (s) => s.queueBytes],
    [
      "queue_max_messages",
      "Most records the client takes (KAFKA_QUEUE_BUFFERING_MAX_MESSAGES)",
      (s) => s.queueMaxMessages,
    ],
    ["queue_max_bytes", "Most bytes it takes (KAFKA_QUEUE_BUFFERING_MAX_KBYTES)", (s) => s.queueMaxBytes],
    ["sent_messages", "Records sent since the client was made", (s) => s.sentMessages],
    ["batch_messages_average", "Records a batch, last interval", (s) => s.batchMessagesAverage],
    ["batch_bytes_average", "Bytes a batch before compression, last interval", (s) => s.batchBytesAverage],
  ];
  for (const [name, help, of] of figures) {
    gauge(
      registry,
      `kafka_${name}`,
      help,
      () => {
        const statistics = read();
        return statistics === undefined ? 0 : of(statistics);
      },
      name.endsWith("average") ? "average" : "sum",
    );
  }
}
