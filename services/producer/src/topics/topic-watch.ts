// Watches the topics that events are sent to, in one loop: creates those that are missing as soon as Kafka responds,
// notices when one is deleted later (librdkafka only retries then), and reads their limits.
import {
  type ClientConfig,
  createAdmin,
  type KafkaAdmin,
  type KafkaError,
  type NewTopic,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause, settlesWithin } from "@ingest/wait";
import type { TopicLimits } from "../delivery/index.ts";
import { type TopicAdmin, type TopicState, WatchedTopic } from "./watched-topic.ts";

const BACKOFF: BackoffSettings = { firstMs: 500, maxMs: 10_000 };
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_WAIT_MS = 500;
/** Between two looks at topics that are there, ms. */
const INTERVAL_MS = 60_000;
/** The same while events aren't delivered, and after Kafka has refused one. */
const EAGER_INTERVAL_MS = 5_000;

export interface TopicWatchOptions {
  kafka: ClientConfig;
  /** Whether to create a topic again when it is deleted later. */
  isRecreated: boolean;
  log: Log;
  /** Called after each reading. */
  onLimits(topic: string, limits: TopicLimits): void;
  /** Called after each look: whether no topic exists any more. */
  onMissing?(areAllMissing: boolean): void;
  /** Events aren't delivered: perhaps because a topic is missing. */
  isFailing?(): boolean;
  /** How many events Kafka has refused for what is in them: when it refuses more, the limits may have changed. */
  refused?(): number;
  /** For connecting and for each request, ms. */
  attemptTimeoutMs?: number;
  intervalMs?: number;
  eagerIntervalMs?: number;
  /** Connects an admin client for one look at all topics. Absent: to `kafka`. */
  connect?(): Promise<TopicAdmin & Pick<KafkaAdmin, "close">>;
}

export class TopicWatch {
  readonly #options: TopicWatchOptions;
  readonly #topics = new Map<string, WatchedTopic>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Whether the first look has ended, successfully or not. */
  isTried = false;

  constructor(options: TopicWatchOptions) {
    this.#options = options;
  }

  /** A topic added after the start is looked at within `eagerIntervalMs`. */
  add(topic: NewTopic): void {
    if (!this.#topics.has(topic.topic))
      this.#topics.set(topic.topic, new WatchedTopic({ ...this.#options, topic }));
  }

  /** The worst state among the topics. */
  get state(): TopicState {
    const states = new Set(Array.from(this.#topics.values(), ({ state }) => state));
    return states.has("missing") ? "missing" : states.has("pending") ? "pending" : "ready";
  }

  /** The topics in `state`, unless that is ready. */
  get notReady(): string[] {
    const { state } = this;
    if (state === "ready") return [];
    return Array.from(this.#topics.values())
      .filter((topic) => topic.state === state)
      .map(({ name }) => name);
  }

  /** Starts looking, and returns. */
  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Leaves a look in progress behind: while Kafka is unavailable it would delay the stop. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await settlesWithin(this.#running, STOP_WAIT_MS);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { refused = () => 0 } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const refusedBefore = refused();
      const failed = await this.#look();
      this.isTried = true;
      this.#options.onMissing?.(Array.from(this.#topics.values()).every(({ state }) => state === "missing"));
      failures = failed.size > 0 ? failures + 1 : 0;
      if (failures === 0) await this.#untilDue(() => refused() !== refusedBefore, signal);
      else {
        const pauseMs = backoffMs(failures, BACKOFF);
        this.#logFailures(failed, pauseMs);
        await pause(pauseMs, signal);
      }
    }
  }

  async #untilDue(isEager: () => boolean, signal: AbortSignal): Promise<void> {
    const { isFailing, intervalMs = INTERVAL_MS, eagerIntervalMs = EAGER_INTERVAL_MS } = this.#options;
    const dueMs = Math.min(
      performance.now() + intervalMs,
      ...Array.from(this.#topics.values(), ({ limitsDueMs }) => limitsDueMs || Number.POSITIVE_INFINITY),
    );
    do await pause(Math.min(intervalMs, eagerIntervalMs), signal);
    while (
      !signal.aborted &&
      this.state !== "pending" &&
      !isFailing?.() &&
      !isEager() &&
      performance.now() < dueMs
    );
  }

  /** Looks at each topic. @returns those that aren't ready, and why */
  async #look(): Promise<Map<WatchedTopic, KafkaError>> {
    const topics = [...this.#topics.values()];
    const failed = new Map<WatchedTopic, KafkaError>();
    const { kafka: config, attemptTimeoutMs: timeoutMs = ATTEMPT_TIMEOUT_MS } = this.#options;
    let admin: TopicAdmin & Pick<KafkaAdmin, "close">;
    try {
      admin = await (this.#options.connect?.() ?? createAdmin({ config, timeoutMs }));
    } catch (thrown) {
      const error = toKafkaError(thrown);
      return new Map(topics.map((topic) => [topic, error]));
    }
    try {
      for (const topic of topics) {
        const error = await topic.look(admin);
        if (error !== undefined) failed.set(topic, error);
      }
      // Limits may take as long as an attempt, where brokers don't respond to the question.
      this.isTried = true;
      for (const topic of topics) if (!failed.has(topic)) await topic.readLimits(admin);
    } finally {
      await admin.close();
    }
    return failed;
  }

  #logFailures(failed: ReadonlyMap<WatchedTopic, KafkaError>, pauseMs: number): void {
    const byMessage = Map.groupBy(
      // That Kafka is unavailable later is for delivery to say, and that a topic is missing is said once.
      [...failed].filter(
        ([{ state }, { code }]) => state === "pending" || (state === "missing" && code !== "unknown_topic"),
      ),
      ([, { message }]) => message,
    );
    for (const [error, list] of byMessage)
      this.#options.log.warn(
        {
          topics: list.map(([{ name }]) => name),
          code: list[0]![1].code,
          error,
          retry_in_ms: Math.round(pauseMs),
        },
        "topic not ready: retrying",
      );
  }
}
