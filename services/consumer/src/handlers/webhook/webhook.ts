// Posts each event to a URL: a handler that waits, fails and is tried again. Raise CONSUMER_CONCURRENCY with it.
import { type EventContext, type EventHandler, PermanentFailure } from "../../handler.ts";

export interface WebhookOptions {
  url: string;
  timeoutMs: number;
}

/** Of a refusal's body, what the log and the dead letter show. */
const SHOWN_CHARACTERS = 200;

/** Statuses of the 4xx kind that time mends: request timeout, conflict, too early, too many requests. */
const MENDABLE = new Set([408, 409, 425, 429]);

/**
 * The body is the event's JSON as it stands in the record. Headers: `Idempotency-Key` (event_id: a retry is the same
 * request), `Event-Type`, `Kafka-Topic`, `Kafka-Partition`, `Kafka-Offset`.
 * 2xx is handled; 408, 409, 425, 429, 5xx, no answer: tried again; any other answer is a refusal and final.
 */
export function createWebhook({ url, timeoutMs }: WebhookOptions): EventHandler {
  return {
    name: "webhook",
    async handle(event, context) {
      const response = await fetch(url, {
        method: "POST",
        body: context.text,
        headers: {
          "content-type": "application/json",
          "idempotency-key": headerText(event.event_id),
          "event-type": headerText(event.event_type),
          ...placeHeaders(context),
        },
        redirect: "manual",
        signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
      });
      // Read to its end in any case: the connection can be used again then.
      const body = await response.text();
      if (response.ok) return;
      const words = `${url} answered ${response.status}: ${body.slice(0, SHOWN_CHARACTERS)}`;
      const isFinal = response.status < 500 && !MENDABLE.has(response.status);
      throw isFinal ? new PermanentFailure(words) : new Error(words);
    },
  };
}

function placeHeaders({ topic, partition, offset }: EventContext): Record<string, string> {
  return { "kafka-topic": topic, "kafka-partition": String(partition), "kafka-offset": String(offset) };
}

/** A header takes visible ASCII; the rest of what an id may hold is percent-encoded (RFC 3986). */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}
