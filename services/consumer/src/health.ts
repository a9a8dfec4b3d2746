// What operators see: live, ready, metrics.
import type { KafkaConsumer } from "@ingest/kafka";
import { healthRoutes } from "@ingest/service";
import { Elysia } from "elysia";
import type { Counters } from "./counters.ts";
import type { ConsumerLoop } from "./loop/consumer-loop.ts";
import { createConsumerMetrics } from "./metrics.ts";
import { handling, settling } from "./stall/stages.ts";
import { StallWatch } from "./stall/stall-watch.ts";

export interface HealthOptions {
  loop: ConsumerLoop;
  counters: Counters;
  /** Undefined until Kafka has been reached. */
  consumer(): KafkaConsumer | undefined;
  isStopping(): boolean;
  stallTimeoutMs: number;
}

/** The HTTP side, not listening yet, and the watch that its liveness goes by. */
export function createHealth({ loop, counters, consumer, isStopping, stallTimeoutMs }: HealthOptions) {
  const isConnected = () => consumer()?.connected ?? false;
  const statistics = () => consumer()?.statistics();
  const stall = new StallWatch({
    timeoutMs: stallTimeoutMs,
    all: () => loop.works,
    stages: [handling(isConnected, statistics), settling],
  });
  const registry = createConsumerMetrics({
    counters,
    works: () => loop.works,
    statistics,
    isConnected,
    stalledForMs: () => stall.stalledForMs(),
  });
  const server = new Elysia().use(
    healthRoutes({
      live: () => ({ ok: !stall.isStalled, stalled_for_ms: Math.round(stall.stalledForMs()) }),
      ready: () => ({
        ok: isConnected() && loop.hasJoined && !isStopping(),
        connected: isConnected(),
        joined: loop.hasJoined,
        partitions: [...loop.works].map(({ partition }) => partition).sort((a, b) => a - b),
      }),
      metrics: () => registry.metrics(),
    }),
  );
  return { server, stall };
}
