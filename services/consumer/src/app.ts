// The consumer put together: settings in, a running service out.
import { deadLetterTopic } from "@ingest/contract";
import {
  type ConsumerOptions,
  type Env,
  type KafkaConsumer,
  type KafkaError,
  toClientConfig,
} from "@ingest/kafka";
import type { Lifecycle, Log } from "@ingest/service";
import { settlesWithin } from "@ingest/wait";
import type { Settings } from "./config.ts";
import { Connection } from "./connection.ts";
import { Counters } from "./counters.ts";
import { type DeadLetters, DeadLetterTopic, noDeadLetters } from "./dead-letter/dead-letters.ts";
import { letterWriterConfig } from "./dead-letter/writer-config.ts";
import type { EventHandler } from "./handler.ts";
import { createHandler } from "./handlers/create-handler.ts";
import { createHealth } from "./health.ts";
import { Commits } from "./loop/commits.ts";
import { ConsumerLoop } from "./loop/consumer-loop.ts";
import { Processor } from "./loop/processor.ts";
import { Settling } from "./loop/settling.ts";
import { SeenEvents } from "./once/seen-events.ts";
import type { LineWriter } from "./output/line-writer.ts";

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

/** Leaving the group, and the dead letters' producer: after the work has been finished and committed. */
const CLOSE_BUDGET_MS = 5_000;
/** The last lines, where nobody reads them. An event whose line isn't out isn't committed: it comes again. */
const OUTPUT_BUDGET_MS = 1_000;
/** A step's own limits come first: the lifecycle's cuts in only where something is stuck. */
const STOP_MARGIN_MS = 2_000;
/** syslog's number for a warning: librdkafka's log uses the same. */
const WARNING = 4;

/** Starts the consumer's parts in order. Resolves before Kafka is reached: that goes on by itself. */
export async function startConsumer(app: ConsumerApp): Promise<void> {
  const { settings, log, lifecycle } = app;
  // The first to start is the last to stop: the other parts' last lines are out when the process ends.
  await lifecycle.start({
    name: "output",
    stop: async () => {
      await settlesWithin(app.output.flush(), OUTPUT_BUDGET_MS);
    },
  });
  const counters = new Counters();
  const letterTopic = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(settings.KAFKA_TOPIC);
  const parts = createParts(app, counters, letterTopic);
  const { deadLetters, handler, loop, seen, settling } = parts;
  const topics = letterTopic === "off" ? [settings.KAFKA_TOPIC] : [settings.KAFKA_TOPIC, letterTopic];
  const connection = new Connection({
    consumer: consumerOptions(app, loop),
    admin: toClientConfig(settings, "admin", app.env),
    topics: topics.map((topic) => ({
      topic,
      partitions: settings.KAFKA_TOPIC_PARTITIONS,
      replicationFactor: settings.KAFKA_TOPIC_REPLICATION_FACTOR,
    })),
    log,
  });
  let consumer: KafkaConsumer | undefined;
  const { server, stall } = createHealth({
    loop,
    counters,
    consumer: () => consumer,
    isStopping: () => lifecycle.isStopping,
    stallTimeoutMs: settings.STALL_TIMEOUT_MS,
  });

  await lifecycle.start({
    name: "health server",
    start() {
      server.listen({ port: settings.HEALTH_PORT, hostname: settings.HOST });
      log.info({ port: server.server?.port, host: settings.HOST }, "health server listening");
    },
    stop: () => void server.stop(true),
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
  await lifecycle.start({
    name: "consumer",
    start() {
      stall.start();
      void connection.connect(connecting.signal).then((connected) => {
        if (connected === undefined) return;
        consumer = connected;
        connected.subscribe([settings.KAFKA_TOPIC]);
        log.info({ topic: settings.KAFKA_TOPIC, group: settings.KAFKA_GROUP_ID }, "joining the group");
        loop.start(connected);
      });
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

interface Parts {
  handler: EventHandler;
  deadLetters: DeadLetters;
  seen: SeenEvents | undefined;
  settling: Settling;
  loop: ConsumerLoop;
}

function createParts(app: ConsumerApp, counters: Counters, letterTopic: string): Parts {
  const { settings, log } = app;
  const hasLetters = letterTopic !== "off";
  const backoff = { firstMs: settings.RETRY_BACKOFF_MS, maxMs: settings.RETRY_BACKOFF_MAX_MS };
  const handler = createHandler(settings, app.output, SERVICE_NAME);
  const deadLetters = hasLetters
    ? new DeadLetterTopic({ config: letterWriterConfig(app.env), topic: letterTopic, backoff, log })
    : noDeadLetters;
  const seen = settings.DEDUPLICATE
    ? new SeenEvents({
        path: settings.DEDUPLICATE_PATH,
        groupId: settings.KAFKA_GROUP_ID,
        windowOffsets: settings.DEDUPLICATE_WINDOW,
      })
    : undefined;
  // With nowhere to put an event aside, the only other way not to lose it is to go on trying.
  const maxTries = hasLetters ? settings.RETRY_MAX_TRIES : 0;
  const settling = new Settling({ handler, output: app.output, seen, backoff, counters, log });
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
  return { handler, deadLetters, seen, settling, loop };
}

function consumerOptions({ settings, env, log, onFatal }: ConsumerApp, loop: ConsumerLoop): ConsumerOptions {
  return {
    config: toClientConfig(settings, "consumer", env),
    onAssigned: (partitions) => loop.onAssigned(partitions),
    onRevoked: (partitions) => loop.onRevoked(partitions),
    onLost: (partitions) => loop.onLost(partitions),
    onError(error) {
      log.warn({ code: error.code, error: error.message }, "Kafka client reports");
      if (error.isFatal) onFatal(error);
    },
    onLog: ({ severity, facility, message }) =>
      log[severity <= WARNING ? "warn" : "debug"]({ facility, detail: message }, "librdkafka"),
  };
}
