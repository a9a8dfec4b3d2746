// Posts each event to a URL. CONSUMER_CONCURRENCY requests are in flight for each partition.
import { lastHeader } from "@ingest/kafka";
import { redactUrls } from "@ingest/service";
import { identityOf } from "../../event-identity.ts";
import { type EventContext, type EventHandler, PermanentFailure, RetryLater } from "../../handler.ts";
import { toMessage } from "./message.ts";
import { readStart } from "./read-start.ts";
import { retryAfterMs } from "./retry-after.ts";

export interface WebhookOptions {
  /** May contain a user name and a password, for basic authentication. */
  url: string;
  timeoutMs: number;
  /** PEM texts. */
  tls?: { ca?: string; cert?: string; key?: string };
}

/** How much of an error response's body is read at most, and how much of it the log and the dead letter show. */
const READ_BYTES = 1_024;
const SHOWN_CHARACTERS = 200;

/** 4xx statuses worth a retry: request timeout, conflict, too early, too many requests. */
const RETRYABLE = new Set([408, 409, 425, 429]);

/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/**
 * The body is the event's JSON as it stands in the record; a CloudEvent is posted as one, in the content mode of its
 * record. Headers: `Idempotency-Key` (the event_id, of a CloudEvent with its source before it; the same for each retry), `Event-Type`, `Kafka-Topic`, `Kafka-Partition`, `Kafka-Offset`, and the record's `traceparent`.
 * 2xx means handled; the response's body is not read. 408, 409, 425, 429, 5xx and no response are retried, no earlier
 * than `Retry-After` says. Any other status is a permanent failure.
 */
export function createWebhook({ url, timeoutMs, tls = {} }: WebhookOptions): EventHandler {
  const target = new URL(url);
  const shownUrl = redactUrls(url);
  const authorization = takeCredentials(target);
  return {
    name: "webhook",
    async handle(event, context) {
      const { body, headers } = toMessage(context);
      const response = await fetch(target, {
        method: "POST",
        body,
        headers: {
          ...headers,
          "idempotency-key": headerText(identityOf(event)),
          "event-type": headerText(event.event_type),
          // A small compressed body may be a large one. Of what is compressed all the same, the first bytes are shown.
          "accept-encoding": "identity",
          ...authorization,
          ...recordHeaders(context),
        },
        redirect: "manual",
        decompress: false,
        tls,
        signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
      });
      if (response.ok) {
        await response.body?.cancel();
        return;
      }
      const start = await readStart(response, READ_BYTES);
      const message = `${shownUrl} responded ${response.status}: ${start.slice(0, SHOWN_CHARACTERS)}`;
      if (response.status < 500 && !RETRYABLE.has(response.status)) throw new PermanentFailure(message);
      const afterMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
      throw afterMs === undefined ? new Error(message) : new RetryLater(message, afterMs);
    },
  };
}

/** Moves user name and password from the URL to a header: an error's text may contain the URL. */
function takeCredentials(url: URL): Record<string, string> {
  const { username, password } = url;
  if (username === "" && password === "") return {};
  url.username = "";
  url.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function recordHeaders({ topic, partition, offset, headers }: EventContext): Record<string, string> {
  const traceparent = lastHeader(headers, "traceparent")?.toString("latin1");
  return {
    "kafka-topic": topic,
    "kafka-partition": String(partition),
    "kafka-offset": String(offset),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}

/** A header value takes visible ASCII. Other characters are percent-encoded (RFC 3986). */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}
