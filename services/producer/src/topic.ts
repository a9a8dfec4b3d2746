// Creates the topic when it is missing, as soon as Kafka responds. The service is up meanwhile.
import { type ClientConfig, ensureTopics, KafkaError, type NewTopic, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause, settlesWithin } from "@ingest/wait";

const BACKOFF: BackoffSettings = { firstMs: 500, maxMs: 10_000 };
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_WAIT_MS = 500;

export interface TopicStepOptions {
  kafka: ClientConfig;
  topic: NewTopic;
  log: Log;
  /** For connecting and for each request of an attempt, ms. */
  attemptTimeoutMs?: number;
}

export class TopicStep {
  readonly #options: TopicStepOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Whether the topic is known to exist, created here or not. */
  exists = false;
  /** Whether the first attempt has ended, successfully or not. */
  isTried = false;

  constructor(options: TopicStepOptions) {
    this.#options = options;
  }

  /** Starts trying, and returns. */
  start(): void {
    this.#running = this.#tryUntilReady(this.#stopping.signal);
  }

  /** Leaves an attempt in progress behind: while Kafka is unavailable it would delay the stop. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await settlesWithin(this.#running, STOP_WAIT_MS);
  }

  async #tryUntilReady(signal: AbortSignal): Promise<void> {
    const { log, topic } = this.#options;
    for (let failures = 1; !signal.aborted; failures++) {
      const outcome = await this.#try();
      this.isTried = true;
      if (!(outcome instanceof KafkaError)) {
        log.info({ topic: topic.topic, outcome }, "topic ready");
        this.exists = true;
        return;
      }
      const pauseMs = backoffMs(failures, BACKOFF);
      log.warn(
        {
          topic: topic.topic,
          code: outcome.code,
          error: outcome.message,
          retry_in_ms: Math.round(pauseMs),
        },
        "topic not ready: retrying",
      );
      await pause(pauseMs, signal);
    }
  }

  async #try(): Promise<"created" | "exists" | KafkaError> {
    const { kafka: config, topic, attemptTimeoutMs: timeoutMs = ATTEMPT_TIMEOUT_MS } = this.#options;
    try {
      const [ensured] = await ensureTopics({ config, topics: [topic], timeoutMs });
      return ensured!.outcome;
    } catch (thrown) {
      return toKafkaError(thrown);
    }
  }
}
