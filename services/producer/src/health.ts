// Alive: the process answers. Ready: it takes events.
import type { Health } from "@ingest/service";
import type { Delivery } from "./delivery/index.ts";
import type { TopicStep } from "./topic.ts";

export interface ReadinessSources {
  delivery: Pick<Delivery, "state">;
  topic: Pick<TopicStep, "exists" | "isTried">;
  isStopping(): boolean;
}

/**
 * Ready while events are taken: Kafka answers, or the journal has room.
 * At start, not before the topic was looked for once: what comes earlier would only make a detour.
 */
export function readiness({ delivery, topic, isStopping }: ReadinessSources): Health {
  const { ready, refusal, connected, spooling } = delivery.state();
  const reason = isStopping() ? "shutting_down" : !topic.isTried ? "starting" : refusal;
  return {
    ok: ready && reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    kafka: connected ? "connected" : "away",
    topic: topic.exists ? "there" : "not seen yet",
    spooling,
  };
}
