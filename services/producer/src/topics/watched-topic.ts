// One topic that events are sent to: whether it is there, and its limits.
import { type KafkaAdmin, type KafkaError, type NewTopic, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs } from "@ingest/wait";
import { type TopicLimits, toTopicLimits } from "../delivery/index.ts";

/** After failed readings: brokers that can't tell, such as librdkafka's mock cluster, let each one time out. */
const LIMITS_BACKOFF: BackoffSettings = { firstMs: 5_000, maxMs: 60_000 };

export type TopicAdmin = Pick<KafkaAdmin, "ensureTopic" | "describeTopic" | "topicConfig">;

export interface WatchedTopicOptions {
  topic: NewTopic;
  /** Whether to create the topic again when it is deleted later. */
  isRecreated: boolean;
  log: Log;
  onLimits(topic: string, limits: TopicLimits): void;
}

/**
 * - pending: not seen yet
 * - ready: there, as of the last look
 * - missing: it was there, and is not any more
 */
export type TopicState = "pending" | "ready" | "missing";

export class WatchedTopic {
  readonly #options: WatchedTopicOptions;
  state: TopicState = "pending";
  /** When limits that could not be read are read again, on the monotonic clock; 0 when the last reading succeeded. */
  limitsDueMs = 0;
  #limits: string | undefined;
  #limitsFailures = 0;
  #limitsFailure: string | undefined;

  constructor(options: WatchedTopicOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.topic.topic;
  }

  /** Creates the topic where it is missing and may be created. @returns why it isn't ready; undefined when it is */
  async look(admin: TopicAdmin): Promise<KafkaError | undefined> {
    try {
      const outcome = await this.#ensure(admin);
      if (this.state !== "ready") this.#options.log.info({ topic: this.name, outcome }, "topic ready");
      this.state = "ready";
      return undefined;
    } catch (thrown) {
      return toKafkaError(thrown);
    }
  }

  /** @throws KafkaError when the topic is missing and was not created */
  async #ensure(admin: TopicAdmin): Promise<"created" | "exists"> {
    const { topic, isRecreated } = this.#options;
    if (this.state === "pending") return admin.ensureTopic(topic);
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
  }

  #onMissing({ code, meaning }: KafkaError): void {
    if (this.state === "missing") return;
    this.state = "missing";
    const { log, isRecreated } = this.#options;
    log.error(
      { topic: this.name, code, reason: meaning, isRecreated },
      "topic missing: its events are not delivered",
    );
  }

  /** Reads the limits, unless a reading has just failed. */
  async readLimits(admin: TopicAdmin): Promise<void> {
    if (performance.now() < this.limitsDueMs) return;
    const { log, onLimits } = this.#options;
    const topic = this.name;
    try {
      const limits = toTopicLimits(await admin.topicConfig(topic));
      const text = JSON.stringify(limits);
      if (text !== this.#limits) log.info({ topic, ...limits }, "topic limits read");
      this.#limits = text;
      this.#limitsFailures = 0;
      this.#limitsFailure = undefined;
      this.limitsDueMs = 0;
      onLimits(topic, limits);
    } catch (thrown) {
      const { code, message } = toKafkaError(thrown);
      if (code !== this.#limitsFailure)
        log.warn({ topic, code, reason: message }, "topic limits unknown: Kafka alone checks events");
      this.#limitsFailure = code;
      this.limitsDueMs = performance.now() + backoffMs(++this.#limitsFailures, LIMITS_BACKOFF);
    }
  }
}
