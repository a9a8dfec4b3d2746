// Confluent's client: loaded on first use, and what its producers, consumers and admin clients have in common.
import type { KafkaConsumer, Producer } from "@confluentinc/kafka-javascript";
import { buildInfo, type ConfluentClient, loadClient } from "@ingest/kafka-native";
import { settlesWithin } from "@ingest/wait";
import { ConnectReasons } from "./connect-reasons.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import { assertFeatures } from "./features.ts";
import type { ClientConfig } from "./records.ts";

/** The payload of `event.log`. */
export interface ClientLog {
  /** syslog's: 0 emergency … 3 error, 4 warning, 6 information, 7 debug. */
  severity: number;
  /** librdkafka's short name for the kind of line, as FAIL or CONNECT. */
  facility: string;
  message: string;
}

/** librdkafka's facility for the line that another cluster responds at the same address. */
export const CLUSTER_ID_FACILITY = "CLUSTERID";

let loaded: ConfluentClient | undefined;

/**
 * Creates one of Confluent's clients without connecting it.
 * @throws AddonUnavailableError where the native addon is missing and can't be built
 * @throws KafkaError `unsupported` when the build lacks a feature that the configuration needs, `invalid_config`
 * when librdkafka rejects it
 */
export function construct<T>(config: ClientConfig, make: (client: ConfluentClient) => T): T {
  // Loading requires the native addon, so it waits for the first client.
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

/** EventEmitter's own signature: Confluent's types lack `error` and the events' payloads. */
function asEmitter(client: Producer | KafkaConsumer): NodeJS.EventEmitter {
  return client as unknown as NodeJS.EventEmitter;
}

/** Events of all of Confluent's clients. */
export interface ClientEvents {
  /** The same error at most once a second. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  /** librdkafka's statistics, as JSON text. */
  onStatistics?(json: string): void;
}

/** librdkafka repeats an error at each attempt, twenty times a second while it looks for a broker. */
const SAME_ERROR_EVERY_MS = 1_000;

/** Forwards a client's events, typed. Listens to `error` too: an unhandled one would end the process. */
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
 * Connects a client and waits for a broker's first response.
 * @returns the brokers and topics in that response
 * @throws KafkaError: the likeliest cause reported in that time (failed authentication, a name that doesn't
 * resolve), else `timed_out`. A client that failed to connect can't be used again.
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
    // A safeguard: librdkafka has its own time-out.
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

/** The cluster, as the first metadata response describes it. */
export interface ClientMetadata {
  brokers: { id: number; host: string; port: number }[];
  topics: {
    name: string;
    partitions: { id: number; leader: number; replicas: number[]; isrs: number[] }[];
  }[];
}

/**
 * Disconnects a client within a time limit. When librdkafka doesn't finish in time, its threads are left behind.
 * @returns whether it was done in time
 */
export function disconnectClient(client: Producer | KafkaConsumer, timeoutMs: number): Promise<boolean> {
  const { promise: disconnected, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  // A producer's disconnect flushes first: 0, because that was done already, or there was no time for it.
  try {
    const producer = client as Producer;
    if (typeof producer.flush === "function") producer.disconnect(0, done);
    else client.disconnect(done);
  } catch {
    done(); // It wasn't connected.
  }
  return settlesWithin(disconnected, Math.max(timeoutMs, 1));
}

/**
 * Starts librdkafka's background polling as soon as possible, so that errors of the connection attempt are reported.
 * Polling needs the client's handle, which exists some moments after `connect` is called.
 * @returns a function that stops waiting for the handle
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
