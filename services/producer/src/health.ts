// Live: the process responds. Ready: it takes events.
import type { Health } from "@ingest/service";
import type { Delivery } from "./delivery/index.ts";
import type { TopicStep } from "./topic.ts";

export interface ReadinessSources {
  delivery: Pick<Delivery, "state">;
  topic: Pick<TopicStep, "state" | "isTried">;
  isStopping(): boolean;
}

/**
 * Ready while events are taken: Kafka is connected, or the journal has room.
 * At start, not before the first attempt to find the topic has ended: earlier events would go through the journal for
 * no reason.
 */
export function readiness({ delivery, topic, isStopping }: ReadinessSources): Health {
  const { ready, refusal, connected, spooling, failing, journal } = delivery.state();
  const reason = isStopping() ? "shutting_down" : !topic.isTried ? "starting" : refusal;
  return {
    ok: ready && reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    kafka: connected ? "connected" : "unavailable",
    topic: topic.state,
    spooling,
    ...(journal?.failure === undefined ? {} : { journal: journal.failure }),
    ...(failing === undefined ? {} : { failing: failing.code, failing_because: failing.meaning }),
  };
}
