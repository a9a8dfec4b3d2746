// Assembles the consumer from its settings and starts it.
import { deadLetterTopic } from "@ingest/contract";
import {
  CLUSTER_ID_FACILITY,
  type ConsumerOptions,
  type KafkaConsumer,
  type KafkaError,
  toClientConfig,
} from "@ingest/kafka";
import type { Env, Lifecycle, Log } from "@ingest/service";
import { settlesWithin } from "@ingest/wait";
import type { Settings } from "./config.ts";
import { Connection } from "./connection.ts";
import { Counters } from "./counters.ts";
import { type DeadLetters, DeadLetterTopic, noDeadLetters } from "./dead-letter/dead-letter-topic.ts";
import { deadLetterProducerConfig } from "./dead-letter/producer-config.ts";
import { SeenEvents } from "./deduplication/seen-events.ts";
import type { EventHandler } from "./handler.ts";
import { createHandler } from "./handlers/create-handler.ts";
import { createHealth } from "./health.ts";
import { Committer } from "./loop/committer.ts";
import { ConsumerLoop } from "./loop/consumer-loop.ts";
import { Flusher } from "./loop/flusher.ts";
import { Processor } from "./loop/processor.ts";
import type { LineWriter } from "./output/line-writer.ts";
import { AssignmentWatch } from "./topic/assignment-watch.ts";
import { TopicWatch } from "./topic/topic-watch.ts";

export const SERVICE_NAME = "consumer";

export interface ConsumerApp {
  settings: Settings;
  /** The environment behind `settings`, for librdkafka properties without a setting of their own. */
  env: Env;
  log: Log;
  output: LineWriter;
  lifecycle: Lifecycle;
  /** Called with an error that only a restart of the process can resolve. */
  onFatal(error: KafkaError): void;
}

/** For leaving the group, and for closing the dead-letter producer, after all work is finished and committed. */
const CLOSE_BUDGET_MS = 5_000;
/** For the last log lines when standard output isn't being read. Events whose lines are lost aren't committed. */
const OUTPUT_BUDGET_MS = 1_000;
/** The lifecycle's budget exceeds a step's own timeouts by this: it only applies when something is stuck. */
const STOP_MARGIN_MS = 2_000;
/** Syslog severity, as in librdkafka's log. */
const WARNING = 4;

/** Starts the consumer's parts in order. Connecting to Kafka continues in the background. */
export async function startConsumer(app: ConsumerApp): Promise<void> {
  const { settings, log, lifecycle } = app;
  // Starts first and stops last, so that the last log lines of all other parts are written.
  await lifecycle.start({
    name: "output",
    stop: async () => {
      await settlesWithin(app.output.flush(), OUTPUT_BUDGET_MS);
    },
  });
  const counters = new Counters();
  const deadLetterTopicName = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(settings.KAFKA_TOPIC);
  const parts = createParts(app, counters, deadLetterTopicName);
  const { deadLetters, flusher, handler, loop, seen, topicWatch } = parts;
  const topics =
    deadLetterTopicName === "off" ? [settings.KAFKA_TOPIC] : [settings.KAFKA_TOPIC, deadLetterTopicName];
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
  const assignment = new AssignmentWatch({
    topic: settings.KAFKA_TOPIC,
    topicWatch,
    consumer: () => consumer,
    hasJoined: () => loop.hasJoined,
    assigned: () => [...loop.tasks].length,
    log,
  });
  const { server, stall } = createHealth({
    topicWatch,
    assignment,
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
        topicWatch.start(connected, () => assignment.look());
        connected.subscribe([settings.KAFKA_TOPIC]);
        log.info({ topic: settings.KAFKA_TOPIC, group: settings.KAFKA_GROUP_ID }, "joining the group");
        loop.start(connected);
      });
    },
    async stop() {
      stall.stop();
      connecting.abort();
      topicWatch.stop();
      await loop.stop(settings.SHUTDOWN_BUDGET_MS);
      flusher.abandon();
      if (consumer && !(await consumer.close(CLOSE_BUDGET_MS)))
        log.warn({}, "leaving the group timed out: its partitions are reassigned after the session timeout");
      log.info({ handled: counters.handled, dead_lettered: counters.deadLettered }, "consumer stopped");
    },
    stopBudgetMs: settings.SHUTDOWN_BUDGET_MS + CLOSE_BUDGET_MS + STOP_MARGIN_MS,
  });
}

interface Parts {
  handler: EventHandler;
  deadLetters: DeadLetters;
  seen: SeenEvents | undefined;
  flusher: Flusher;
  loop: ConsumerLoop;
  topicWatch: TopicWatch;
}

function createParts(app: ConsumerApp, counters: Counters, deadLetterTopicName: string): Parts {
  const { settings, log } = app;
  const hasDeadLetterTopic = deadLetterTopicName !== "off";
  const backoff = { firstMs: settings.RETRY_BACKOFF_MS, maxMs: settings.RETRY_BACKOFF_MAX_MS };
  const handler = createHandler(settings, app.output, SERVICE_NAME);
  const deadLetters = hasDeadLetterTopic
    ? new DeadLetterTopic({
        config: deadLetterProducerConfig(app.env),
        topic: deadLetterTopicName,
        backoff,
        log,
      })
    : noDeadLetters;
  const seen = settings.DEDUPLICATE
    ? new SeenEvents({
        path: settings.DEDUPLICATE_PATH,
        groupId: settings.KAFKA_GROUP_ID,
        windowOffsets: settings.DEDUPLICATE_WINDOW,
      })
    : undefined;
  // Without a dead-letter topic, retrying without limit is the only way not to lose an event.
  const maxTries = hasDeadLetterTopic ? settings.RETRY_MAX_TRIES : 0;
  const flusher = new Flusher({ handler, output: app.output, seen, backoff, counters, log });
  const topicWatch = new TopicWatch({
    topic: settings.KAFKA_TOPIC,
    reset: settings.KAFKA_AUTO_OFFSET_RESET,
    counters,
    log,
    ...(handler.storedPositions && {
      storedPositions: (topic, topicId) => handler.storedPositions!(topic, topicId),
    }),
    onRecreated: (topic) => loop.onTopicRecreated(topic),
  });
  const loop: ConsumerLoop = new ConsumerLoop({
    topic: topicWatch,
    processor: new Processor({
      handler,
      maxTries,
      backoff,
      maxJsonDepth: settings.MAX_JSON_DEPTH,
      deadLetters,
      seen,
      counters,
      log,
    }),
    flusher,
    committer: new Committer({ intervalMs: settings.COMMIT_INTERVAL_MS, counters, log }),
    concurrency: settings.CONSUMER_CONCURRENCY,
    fetchRecords: settings.CONSUMER_FETCH_RECORDS,
    limits: { records: settings.CONSUMER_BUFFER_RECORDS, bytes: settings.CONSUMER_BUFFER_BYTES },
    rebalanceBudgetMs: settings.REBALANCE_BUDGET_MS,
    counters,
    log,
    onFatal: app.onFatal,
  });
  return { handler, deadLetters, seen, flusher, loop, topicWatch };
}

function consumerOptions({ settings, env, log, onFatal }: ConsumerApp, loop: ConsumerLoop): ConsumerOptions {
  return {
    config: toClientConfig(settings, "consumer", env),
    toStartOffsets: (partitions) => loop.toStartOffsets(partitions),
    onAssigned: (partitions) => loop.onAssigned(partitions),
    onRevoked: (partitions) => loop.onRevoked(partitions),
    onLost: (partitions) => loop.onLost(partitions),
    onError(error) {
      log.warn({ code: error.code, error: error.message }, "Kafka client error");
      if (error.isFatal) onFatal(error);
    },
    onLog({ severity, facility, message }) {
      if (facility === CLUSTER_ID_FACILITY)
        log.error({ detail: message }, "Kafka cluster changed: its id is another one");
      else log[severity <= WARNING ? "warn" : "debug"]({ facility, detail: message }, "librdkafka log");
    },
  };
}
