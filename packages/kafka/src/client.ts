// Confluent's client: loaded when first needed, and what all its kinds have in common here.
import type { KafkaConsumer, Producer } from "@confluentinc/kafka-javascript";
import { buildInfo, type ConfluentClient, loadClient } from "@ingest/kafka-native";
import { ConnectReasons } from "./connect-reasons.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import { assertFeatures } from "./features.ts";
import type { ClientConfig } from "./records.ts";

/** What `event.log` carries. */
export interface ClientLog {
  /** syslog's: 0 emergency … 3 error, 4 warning, 6 information, 7 debug. */
  severity: number;
  /** librdkafka's short name for the kind of line, as FAIL or CONNECT. */
  facility: string;
  message: string;
}

let loaded: ConfluentClient | undefined;

/**
 * Makes a client of Confluent's from a configuration, without connecting it.
 * @throws AddonUnavailableError where the native addon is missing and can't be built
 * @throws KafkaError `unsupported` when the build lacks what the configuration asks for, `invalid_config` when
 * librdkafka refuses it
 */
export function construct<T>(config: ClientConfig, make: (client: ConfluentClient) => T): T {
  // Loading takes the native addon, so nothing does that before the first client is made.
  loaded ??= loadClient();
  const client = loaded;
  assertFeatures(config, buildInfo().features);
  try {
    return make(client);
  } catch (thrown) {
    const error = toKafkaError(thrown);
    if (error.code !== "unknown") throw error;
    throw new KafkaError("invalid_config", error.message, { cause: thrown });
  }
}

/** EventEmitter's own signature: Confluent's types know neither `error` nor what events carry. */
function asEmitter(client: Producer | KafkaConsumer): NodeJS.EventEmitter {
  return client as unknown as NodeJS.EventEmitter;
}

/** The events that every client of Confluent's has. */
export interface ClientEvents {
  /** The same error at most once a second. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  /** librdkafka's statistics as it wrote them: JSON text. */
  onStatistics?(json: string): void;
}

/** librdkafka repeats an error at each attempt, twenty times a second while it looks for a broker. */
const SAME_ERROR_EVERY_MS = 1_000;

/** Passes a client's events on, typed. Listens to `error` as well, which would else bring the process down. */
export function listen(client: Producer | KafkaConsumer, events: ClientEvents): void {
  const lastAt = new Map<number, number>();
  const onError = (thrown: unknown) => {
    const error = toKafkaError(thrown);
    const now = performance.now();
    if (now - (lastAt.get(error.rdkafkaCode) ?? -Infinity) < SAME_ERROR_EVERY_MS) return;
    lastAt.set(error.rdkafkaCode, now);
    events.onError?.(error);
  };
  const emitter = asEmitter(client);
  emitter.on("event.error", onError);
  emitter.on("error", onError);
  emitter.on("event.stats", (event: { message: string }) => events.onStatistics?.(event.message));
  emitter.on("event.log", (event: { severity: number; fac: string; message: string }) =>
    events.onLog?.({ severity: event.severity, facility: event.fac, message: event.message }),
  );
}

/**
 * Connects a client and waits until a broker has answered.
 * @returns the brokers and topics it told of
 * @throws KafkaError: the most telling thing that happened in that time (a refused login, a name that doesn't
 * resolve), else `timed_out`. A client that failed to connect is of no more use.
 */
export async function connectClient(
  client: Producer | KafkaConsumer,
  timeoutMs: number,
): Promise<ClientMetadata> {
  const reasons = new ConnectReasons(client);
  try {
    return await firstAnswer(client, timeoutMs);
  } catch (thrown) {
    throw reasons.explain(toKafkaError(thrown), timeoutMs);
  } finally {
    reasons.stop();
  }
}

function firstAnswer(client: Producer | KafkaConsumer, timeoutMs: number): Promise<ClientMetadata> {
  return new Promise((resolve, reject) => {
    let isTooLate = false;
    // librdkafka keeps the time-out itself; this one is for when it doesn't.
    const deadline = setTimeout(() => {
      isTooLate = true;
      reject(new KafkaError("timed_out", "Connecting took too long"));
    }, timeoutMs + 500);
    client.connect({ allTopics: false, timeout: timeoutMs }, (error, metadata) => {
      clearTimeout(deadline);
      if (error) reject(error);
      else if (isTooLate) client.disconnect();
      else resolve(metadata);
    });
  });
}

/** What a first answer tells of the cluster. */
export interface ClientMetadata {
  brokers: { id: number; host: string; port: number }[];
  topics: {
    name: string;
    partitions: { id: number; leader: number; replicas: number[]; isrs: number[] }[];
  }[];
}

/**
 * Disconnects a client, waiting no longer than told: where librdkafka doesn't let go, its threads are left behind.
 * @returns whether it was done in time
 */
export function disconnectClient(client: Producer | KafkaConsumer, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => resolve(false), Math.max(timeoutMs, 1));
    const done = () => {
      clearTimeout(deadline);
      resolve(true);
    };
    // The producer's own disconnect flushes first; that has been done, or there was no time for it.
    try {
      const producer = client as Producer;
      if (typeof producer.flush === "function") producer.disconnect(0, done);
      else client.disconnect(done);
    } catch {
      done(); // It wasn't connected.
    }
  });
}

/**
 * Events and reports are served by librdkafka's background thread, but that can only be asked for once there is a
 * handle, which there is some moments after `connect` is called and before any broker has answered. Serving from
 * then on lets errors of the connection attempt be seen.
 * @returns stops trying
 */
export function pollOnceConnected(client: Producer): () => void {
  let isPolling = false;
  const tryNow = () => {
    if (isPolling || !client.isConnected()) return;
    client.setPollInBackground(true);
    isPolling = true;
    clearInterval(timer);
  };
  const timer = setInterval(tryNow, 10);
  return () => {
    tryNow();
    clearInterval(timer);
  };
}
