// Live: the process responds. Ready: it takes events.
import type { Health } from "@ingest/service";
import type { Delivery } from "./delivery/index.ts";
import type { TopicWatch } from "./topics/topic-watch.ts";

export interface ReadinessSources {
  delivery: Pick<Delivery, "state">;
  topics: Pick<TopicWatch, "state" | "isTried" | "notReady">;
  isStopping(): boolean;
}

/**
 * Ready while events are taken: Kafka is connected, or the journal has room.
 * At start, not before the first attempt to find the topics has ended: earlier events would go through the journal for
 * no reason.
 */
export function readiness({ delivery, topics, isStopping }: ReadinessSources): Health {
  const { ready, refusal, connected, spooling, failing, journal } = delivery.state();
  const reason = isStopping() ? "shutting_down" : !topics.isTried ? "starting" : refusal;
  return {
    ok: ready && reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    kafka: connected ? "connected" : "unavailable",
    topic: topics.state,
    ...(topics.state === "ready" ? {} : { topics_not_ready: topics.notReady }),
    spooling,
    ...(journal?.failure === undefined ? {} : { journal: journal.failure }),
    ...(failing === undefined ? {} : { failing: failing.code, failing_because: failing.meaning }),
  };
}
