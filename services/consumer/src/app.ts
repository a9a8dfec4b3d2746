// The consumer put together: settings in, a running service out.
import { deadLetterTopic } from "@ingest/contract";
import {
  type Env,
  type KafkaConsumer,
  type KafkaError,
  producerSettings,
  toClientConfig,
} from "@ingest/kafka";
import { healthRoutes, type Lifecycle, type Log, parseSettings } from "@ingest/service";
import { Elysia } from "elysia";
import type { Settings } from "./config.ts";
import { connectUntilDone } from "./connection.ts";
import { Counters } from "./counters.ts";
import { DeadLetterTopic, noDeadLetters } from "./dead-letter/dead-letters.ts";
import { createHandler } from "./handlers/create-handler.ts";
import { lagOf } from "./lag.ts";
import { Commits } from "./loop/commits.ts";
import { ConsumerLoop } from "./loop/consumer-loop.ts";
import { Processor } from "./loop/processor.ts";
import { Settling } from "./loop/settling.ts";
import { createConsumerMetrics } from "./metrics.ts";
import { SeenEvents } from "./once/seen-events.ts";
import type { LineWriter } from "./output/line-writer.ts";
import { StallWatch } from "./stall/stall-watch.ts";

export const SERVICE_NAME = "consumer";

export interface ConsumerApp {
  settings: Settings;
  /** The same environment, for the librdkafka settings that have no row of their own. */
  env: Env;
  log: Log;
  output: LineWriter;
  lifecycle: Lifecycle;
  /** Told of what only a new process gets over. */
  onFatal(error: KafkaError): void;
}

/** Leaving the group, after the work has been finished and committed. */
const CLOSE_BUDGET_MS = 5_000;
/** A step's own limits come first: the lifecycle's cuts in only where something is stuck. */
const STOP_MARGIN_MS = 2_000;

/** syslog's number for a warning: librdkafka's log uses the same. */
const WARNING = 4;

/** Starts the consumer's parts in order. Resolves before Kafka is reached: that goes on by itself. */
export async function startConsumer(app: ConsumerApp): Promise<void> {
  const { settings, env, log, lifecycle, output } = app;
  const counters = new Counters();
  const handler = createHandler(settings, output, SERVICE_NAME);
  const letterTopic = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(settings.KAFKA_TOPIC);
  const hasLetters = letterTopic !== "off";
  const backoff = { firstMs: settings.RETRY_BACKOFF_MS, maxMs: settings.RETRY_BACKOFF_MAX_MS };
  const deadLetters = hasLetters
    ? new DeadLetterTopic({ config: deadLetterConfig(env), topic: letterTopic, backoff, log })
    : noDeadLetters;
  const seen = settings.DEDUPLICATE
    ? new SeenEvents({ path: settings.DEDUPLICATE_PATH, windowOffsets: settings.DEDUPLICATE_WINDOW })
    : undefined;
  // With nowhere to put an event aside, the only other way not to lose it is to go on trying.
  const maxTries = hasLetters ? settings.RETRY_MAX_TRIES : 0;
  const settling = new Settling({ handler, seen, backoff, counters, log });
  const loop = new ConsumerLoop({
    processor: new Processor({ handler, maxTries, backoff, deadLetters, seen, counters, log }),
    settling,
    commits: new Commits({ intervalMs: settings.COMMIT_INTERVAL_MS, counters, log }),
    concurrency: settings.CONSUMER_CONCURRENCY,
    fetchRecords: settings.CONSUMER_FETCH_RECORDS,
    limits: { records: settings.CONSUMER_BUFFER_RECORDS, bytes: settings.CONSUMER_BUFFER_BYTES },
    rebalanceBudgetMs: settings.REBALANCE_BUDGET_MS,
    counters,
    log,
    onFatal: app.onFatal,
  });
  let consumer: KafkaConsumer | undefined;
  const stall = new StallWatch({
    timeoutMs: settings.STALL_TIMEOUT_MS,
    lastProgressAt: () => counters.lastProgressAt,
    hasWork: () =>
      [...loop.works].some(
        (work) =>
          work.underWay > 0 ||
          (consumer?.connected === true && (lagOf(work, consumer.statistics()) ?? 0) > 0),
      ),
  });
  const registry = createConsumerMetrics({
    counters,
    works: () => loop.works,
    statistics: () => consumer?.statistics(),
    isConnected: () => consumer?.connected ?? false,
    stalledForMs: () => stall.stalledForMs(),
  });
  const health = new Elysia().use(
    healthRoutes({
      live: () => ({ ok: !stall.isStalled, stalled_for_ms: Math.round(stall.stalledForMs()) }),
      ready: () => {
        const connected = consumer?.connected ?? false;
        return {
          ok: connected && loop.hasJoined && !lifecycle.isStopping,
          connected,
          joined: loop.hasJoined,
          partitions: [...loop.works].map(({ partition }) => partition).sort((a, b) => a - b),
        };
      },
      metrics: () => registry.metrics(),
    }),
  );

  await lifecycle.start({
    name: "health server",
    start() {
      health.listen({ port: settings.HEALTH_PORT, hostname: settings.HOST });
      log.info({ port: health.server?.port, host: settings.HOST }, "health server listening");
    },
    stop: () => void health.stop(true),
  });
  await lifecycle.start({
    name: "handler",
    start: () => handler.start?.(),
    stop: async () => {
      await handler.stop?.();
      seen?.close();
    },
  });
  await lifecycle.start({
    name: "dead letters",
    stop: () => deadLetters.close(CLOSE_BUDGET_MS),
    stopBudgetMs: CLOSE_BUDGET_MS + STOP_MARGIN_MS,
  });

  const connecting = new AbortController();
  const partitions = settings.KAFKA_TOPIC_PARTITIONS;
  const replicationFactor = settings.KAFKA_TOPIC_REPLICATION_FACTOR;
  const connect = async () => {
    consumer = await connectUntilDone(
      {
        consumer: {
          config: toClientConfig(settings, "consumer", env),
          onAssigned: (list) => loop.onAssigned(list),
          onRevoked: (list) => loop.onRevoked(list),
          onLost: (list) => loop.onLost(list),
          onError: (error) => {
            log.warn({ code: error.code, error: error.message }, "Kafka client reports");
            if (error.isFatal) app.onFatal(error);
          },
          onLog: ({ severity, facility, message }) =>
            log[severity <= WARNING ? "warn" : "debug"]({ facility, detail: message }, "librdkafka"),
        },
        admin: toClientConfig(settings, "admin", env),
        topics: [settings.KAFKA_TOPIC, ...(hasLetters ? [letterTopic] : [])].map((topic) => ({
          topic,
          partitions,
          replicationFactor,
        })),
        log,
      },
      connecting.signal,
    );
    if (consumer === undefined) return;
    consumer.subscribe([settings.KAFKA_TOPIC]);
    log.info({ topic: settings.KAFKA_TOPIC, group: settings.KAFKA_GROUP_ID }, "joining the group");
    loop.start(consumer);
  };
  await lifecycle.start({
    name: "consumer",
    start() {
      stall.start();
      void connect();
    },
    async stop() {
      stall.stop();
      connecting.abort();
      await loop.stop(settings.SHUTDOWN_BUDGET_MS);
      settling.abandon();
      if (consumer && !(await consumer.close(CLOSE_BUDGET_MS)))
        log.warn({}, "the group could not be left in order; it will notice by the session timeout");
      log.info({ handled: counters.handled, dead_lettered: counters.deadLettered }, "consumer stopped");
    },
    stopBudgetMs: settings.SHUTDOWN_BUDGET_MS + CLOSE_BUDGET_MS + STOP_MARGIN_MS,
  });
}

/** The producer's defaults are the point: acks=all, idempotent. Its settings are read from the same environment. */
function deadLetterConfig(env: Env) {
  return toClientConfig(parseSettings(producerSettings, env), "producer");
}
