// Reads the topic's limits at the start, and again to notice changes.
import { type ClientConfig, createAdmin, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause, settlesWithin } from "@ingest/wait";
import { type TopicLimits, toTopicLimits } from "./delivery/index.ts";

export interface TopicLimitsPollOptions {
  kafka: ClientConfig;
  topic: string;
  log: Log;
  onLimits(limits: TopicLimits): void;
  /** Between readings, ms. */
  intervalMs?: number;
}

const INTERVAL_MS = 60_000;
/** After failed attempts: brokers that can't tell, such as librdkafka's mock cluster, let each one time out. */
const BACKOFF: BackoffSettings = { firstMs: 1_000, maxMs: INTERVAL_MS };
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_WAIT_MS = 500;

export class TopicLimitsPoll {
  readonly #options: TopicLimitsPollOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #known: string | undefined;
  #failure: string | undefined;

  constructor(options: TopicLimitsPollOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#poll(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await settlesWithin(this.#running, STOP_WAIT_MS);
  }

  async #poll(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      failures = (await this.#read()) ? 0 : failures + 1;
      const pauseMs = failures > 0 ? backoffMs(failures, BACKOFF) : (this.#options.intervalMs ?? INTERVAL_MS);
      await pause(pauseMs, signal);
    }
  }

  /** @returns whether the limits are known now */
  async #read(): Promise<boolean> {
    const { kafka: config, topic, log, onLimits } = this.#options;
    try {
      const admin = await createAdmin({ config, timeoutMs: ATTEMPT_TIMEOUT_MS });
      try {
        const limits = toTopicLimits(await admin.topicConfig(topic));
        const text = JSON.stringify(limits);
        if (text !== this.#known) log.info({ topic, ...limits }, "topic limits read");
        this.#known = text;
        this.#failure = undefined;
        onLimits(limits);
      } finally {
        await admin.close();
      }
      return true;
    } catch (thrown) {
      const { code, message } = toKafkaError(thrown);
      if (code !== this.#failure)
        log.warn({ topic, code, reason: message }, "topic limits unknown: Kafka alone checks events");
      this.#failure = code;
      return false;
    }
  }
}
