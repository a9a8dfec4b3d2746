// The topics that a caller's events may go to.
import type { EventCheckFactory } from "../events/event-check.ts";
import { Rejection } from "../rejection.ts";

/** Comes after whatever chooses the topic. @param defaultTopic of events without one */
export function topicCheck(defaultTopic: string): EventCheckFactory {
  return (caller) => {
    const allowed = caller?.topics;
    if (caller === undefined || allowed === undefined) return undefined;
    return (event) => {
      const { topic = defaultTopic } = event;
      if (allowed.includes(topic)) return event;
      return new Rejection("topic_not_allowed", `${caller.id} may not send to the topic ${topic}.`, {
        eventId: event.id,
      });
    };
  };
}
