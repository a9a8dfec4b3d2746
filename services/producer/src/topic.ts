// Creates the topic when it is missing, as soon as Kafka responds, and notices when it is deleted later: librdkafka only
// retries then. The service is up meanwhile.
import {
  type ClientConfig,
  createAdmin,
  type KafkaAdmin,
  KafkaError,
  type NewTopic,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause, settlesWithin } from "@ingest/wait";

const BACKOFF: BackoffSettings = { firstMs: 500, maxMs: 10_000 };
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_WAIT_MS = 500;
/** Between two looks at a topic that is there, ms. */
const LOOK_EVERY_MS = 60_000;
/** The same while events aren't delivered. */
const LOOK_WHEN_FAILING_MS = 5_000;

export interface TopicStepOptions {
  kafka: ClientConfig;
  topic: NewTopic;
  /** Whether to create the topic again when it is deleted later. */
  isRecreated: boolean;
  log: Log;
  /** Events aren't delivered: perhaps because the topic is missing. */
  isFailing?(): boolean;
  /** For connecting and for each request of an attempt, ms. */
  attemptTimeoutMs?: number;
  lookWhenFailingMs?: number;
  /** Connects an admin client for one attempt. Absent: to `kafka`. */
  connect?(): Promise<Pick<KafkaAdmin, "ensureTopic" | "describeTopic" | "close">>;
}

/**
 * - pending: not seen yet
 * - ready: there, as of the last look
 * - missing: it was there, and is not any more
 */
export type TopicState = "pending" | "ready" | "missing";

export class TopicStep {
  readonly #options: TopicStepOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  state: TopicState = "pending";
  /** Whether the first attempt has ended, successfully or not. */
  isTried = false;

  constructor(options: TopicStepOptions) {
    this.#options = options;
  }

  /** Starts trying, and returns. */
  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Leaves an attempt in progress behind: while Kafka is unavailable it would delay the stop. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await settlesWithin(this.#running, STOP_WAIT_MS);
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const outcome = await this.#look().catch(toKafkaError);
      this.isTried = true;
      failures = outcome instanceof KafkaError ? failures + 1 : 0;
      if (outcome instanceof KafkaError) await this.#onFailed(outcome, failures, signal);
      else await this.#onReady(outcome, signal);
    }
  }

  /** @throws KafkaError when the topic is missing and was not created */
  async #look(): Promise<"created" | "exists"> {
    const {
      kafka: config,
      topic,
      isRecreated,
      attemptTimeoutMs: timeoutMs = ATTEMPT_TIMEOUT_MS,
    } = this.#options;
    const admin = await (this.#options.connect?.() ?? createAdmin({ config, timeoutMs }));
    try {
      if (this.state === "pending") return await admin.ensureTopic(topic);
      try {
        await admin.describeTopic(topic.topic);
        return "exists";
      } catch (thrown) {
        const error = toKafkaError(thrown);
        if (error.code !== "unknown_topic") throw error;
        this.#onMissing(error);
        if (!isRecreated) throw error;
        return await admin.ensureTopic(topic);
      }
    } finally {
      await admin.close();
    }
  }

  #onMissing({ code, meaning }: KafkaError): void {
    const { log, topic, isRecreated } = this.#options;
    if (this.state === "missing") return;
    this.state = "missing";
    log.error(
      { topic: topic.topic, code, reason: meaning, isRecreated },
      "topic missing: its events are not delivered",
    );
  }

  async #onReady(outcome: "created" | "exists", signal: AbortSignal): Promise<void> {
    const { log, topic, isFailing, lookWhenFailingMs = LOOK_WHEN_FAILING_MS } = this.#options;
    if (this.state !== "ready") log.info({ topic: topic.topic, outcome }, "topic ready");
    this.state = "ready";
    const due = performance.now() + LOOK_EVERY_MS;
    do await pause(lookWhenFailingMs, signal);
    while (!signal.aborted && !isFailing?.() && performance.now() < due);
  }

  async #onFailed({ code, message }: KafkaError, failures: number, signal: AbortSignal): Promise<void> {
    const { log, topic } = this.#options;
    const pauseMs = backoffMs(failures, BACKOFF);
    // That Kafka is unavailable later is for delivery to say, and that the topic is missing is said once.
    if (this.state === "pending" || (this.state === "missing" && code !== "unknown_topic"))
      log.warn(
        { topic: topic.topic, code, error: message, retry_in_ms: Math.round(pauseMs) },
        "topic not ready: retrying",
      );
    await pause(pauseMs, signal);
  }
}
