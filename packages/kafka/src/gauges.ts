// librdkafka's statistics as gauges: each scrape reads the latest snapshot.
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
    // Several processes are connected to the same brokers: report the worst of them.
    "min",
  );
  const gauges: readonly [name: string, help: string, of: (broker: BrokerStatistics) => number][] = [
    [
      "round_trip_p50_seconds",
      "Median round-trip time in the last interval",
      (b) => b.roundTripMicrosP50 / 1e6,
    ],
    [
      "round_trip_p99_seconds",
      "99th percentile of the round-trip time in the last interval",
      (b) => b.roundTripMicrosP99 / 1e6,
    ],
    ["requests_in_flight", "Requests without a response yet", (b) => b.requestsInFlight],
    ["request_timeouts", "Requests that timed out since the client was created", (b) => b.requestTimeouts],
    ["request_retries", "Requests retried since the client was created", (b) => b.retries],
    ["disconnects", "Connections lost since the client was created", (b) => b.disconnects],
  ];
  for (const [name, help, of] of gauges) {
    new Gauge({
      name: `${METRIC_PREFIX}kafka_broker_${name}`,
      help,
      labelNames: ["broker"],
      registers: [registry],
      aggregator: name.startsWith("round_trip") ? "max" : "sum",
      collect() {
        this.reset();
        // Skips bootstrap addresses: each is one of the brokers, before its id is known.
        for (const broker of read()?.brokers ?? [])
          if (broker.id >= 0) this.set({ broker: broker.id }, of(broker));
      },
    });
  }
}

/** Registers a producer's queue and its limits, batches and totals. */
export function registerProducerGauges(registry: Registry, read: () => ProducerStatistics | undefined): void {
  registerBrokerGauges(registry, read);
  const gauges: readonly [name: string, help: string, of: (s: ProducerStatistics) => number][] = [
    ["queue_messages", "Records queued in the client or in flight", (s) => s.queueMessages],
    ["queue_bytes", "Bytes of the records queued in the client or in flight", (s) => s.queueBytes],
    [
      "queue_max_messages",
      "Limit of records queued or in flight (KAFKA_QUEUE_BUFFERING_MAX_MESSAGES)",
      (s) => s.queueMaxMessages,
    ],
    [
      "queue_max_bytes",
      "Limit of bytes queued or in flight (KAFKA_QUEUE_BUFFERING_MAX_KBYTES)",
      (s) => s.queueMaxBytes,
    ],
    ["sent_messages", "Records sent since the client was created", (s) => s.sentMessages],
    [
      "batch_messages_average",
      "Average records per batch in the last interval",
      (s) => s.batchMessagesAverage,
    ],
    [
      "batch_bytes_average",
      "Average bytes per batch before compression in the last interval",
      (s) => s.batchBytesAverage,
    ],
  ];
  for (const [name, help, of] of gauges) {
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
