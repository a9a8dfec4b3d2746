// Posts each event to a URL. Raise CONSUMER_CONCURRENCY to have several requests in flight.
import { type EventContext, type EventHandler, PermanentFailure } from "../../handler.ts";

export interface WebhookOptions {
  url: string;
  timeoutMs: number;
}

/** How much of an error response's body the log and the dead letter show. */
const SHOWN_CHARACTERS = 200;

/** 4xx statuses worth a retry: request timeout, conflict, too early, too many requests. */
const RETRYABLE = new Set([408, 409, 425, 429]);

/**
 * The body is the event's JSON as it stands in the record. Headers: `Idempotency-Key` (the event_id, the same for each
 * retry), `Event-Type`, `Kafka-Topic`, `Kafka-Partition`, `Kafka-Offset`.
 * 2xx means handled. 408, 409, 425, 429, 5xx and no response are retried. Any other status is a permanent failure.
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
          ...recordHeaders(context),
        },
        redirect: "manual",
        signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
      });
      // Reading the body to its end lets the connection be reused.
      const body = await response.text();
      if (response.ok) return;
      const message = `${url} responded ${response.status}: ${body.slice(0, SHOWN_CHARACTERS)}`;
      const isFinal = response.status < 500 && !RETRYABLE.has(response.status);
      throw isFinal ? new PermanentFailure(message) : new Error(message);
    },
  };
}

function recordHeaders({ topic, partition, offset }: EventContext): Record<string, string> {
  return { "kafka-topic": topic, "kafka-partition": String(partition), "kafka-offset": String(offset) };
}

/** A header value takes visible ASCII. Other characters are percent-encoded (RFC 3986). */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}
