// The consumer's HTTP endpoints: liveness, readiness and metrics.
import type { KafkaConsumer } from "@ingest/kafka";
import { healthRoutes } from "@ingest/service";
import { Elysia } from "elysia";
import type { Counters } from "./counters.ts";
import type { ConsumerLoop } from "./loop/consumer-loop.ts";
import { createConsumerMetrics } from "./metrics.ts";
import { flushing, handling } from "./stall/stages.ts";
import { StallWatch } from "./stall/stall-watch.ts";
import type { AssignmentState, AssignmentWatch } from "./topic/assignment-watch.ts";
import type { TopicWatch } from "./topic/topic-watch.ts";

export interface HealthOptions {
  topicWatch: Pick<TopicWatch, "state">;
  assignment: Pick<AssignmentWatch, "state">;
  loop: ConsumerLoop;
  counters: Counters;
  /** Undefined until connected to Kafka. */
  consumer(): KafkaConsumer | undefined;
  isStopping(): boolean;
  stallTimeoutMs: number;
}

const assignmentText: Record<AssignmentState, string> = {
  pending: "pending",
  assigned: "assigned",
  idle: "no partitions: more members than partitions",
  unassigned: "no partitions: some belong to no member of the group",
};

/** Creates the HTTP server, not listening yet, and the stall watch that decides its liveness. */
export function createHealth(options: HealthOptions) {
  const { assignment, loop, counters, consumer, isStopping, stallTimeoutMs, topicWatch } = options;
  const isConnected = () => consumer()?.connected ?? false;
  const statistics = () => consumer()?.statistics();
  const stall = new StallWatch({
    timeoutMs: stallTimeoutMs,
    all: () => loop.tasks,
    stages: [handling(isConnected, statistics), flushing],
  });
  const registry = createConsumerMetrics({
    counters,
    tasks: () => loop.tasks,
    statistics,
    isConnected,
    stalledForMs: () => stall.stalledForMs(),
  });
  const server = new Elysia().use(
    healthRoutes({
      live: () => ({ ok: !stall.isStalled, stalled_for_ms: Math.round(stall.stalledForMs()) }),
      ready: () => ({
        ok:
          isConnected() &&
          loop.hasJoined &&
          topicWatch.state !== "missing" &&
          assignment.state !== "unassigned" &&
          !isStopping(),
        connected: isConnected(),
        joined: loop.hasJoined,
        topic: topicWatch.state,
        assignment: assignmentText[assignment.state],
        partitions: [...loop.tasks].map(({ partition }) => partition).sort((a, b) => a - b),
      }),
      metrics: () => registry.metrics(),
    }),
  );
  return { server, stall };
}
