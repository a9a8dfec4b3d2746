// Reads the topic's limits at the start, each minute, and soon after Kafka has refused an event.
import { type ClientConfig, createAdmin, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause, settlesWithin } from "@ingest/wait";
import { type TopicLimits, toTopicLimits } from "./delivery/index.ts";

export interface TopicLimitsPollOptions {
  kafka: ClientConfig;
  topic: string;
  log: Log;
  onLimits(limits: TopicLimits): void;
  /** How many events Kafka has refused for what is in them: when it refuses more, the limits may have changed. */
  refused(): number;
  /** Reads the topic's settings, by Kafka's names. Absent: from Kafka. */
  readConfig?(): Promise<ReadonlyMap<string, string>>;
  /** Between two readings, and after a refusal, ms. */
  intervalMs?: number;
  refusedIntervalMs?: number;
}

const INTERVAL_MS = 60_000;
const REFUSED_INTERVAL_MS = 5_000;
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
      const refused = this.#options.refused();
      failures = (await this.#read()) ? 0 : failures + 1;
      if (failures > 0) await pause(backoffMs(failures, BACKOFF), signal);
      else await this.#untilDue(refused, signal);
    }
  }

  async #untilDue(refusedBefore: number, signal: AbortSignal): Promise<void> {
    const { refused, intervalMs = INTERVAL_MS, refusedIntervalMs = REFUSED_INTERVAL_MS } = this.#options;
    const due = performance.now() + intervalMs;
    do await pause(Math.min(intervalMs, refusedIntervalMs), signal);
    while (!signal.aborted && refused() === refusedBefore && performance.now() < due);
  }

  /** @returns whether the limits are known now */
  async #read(): Promise<boolean> {
    const { topic, log, onLimits, readConfig = () => this.#readConfig() } = this.#options;
    try {
      const limits = toTopicLimits(await readConfig());
      const text = JSON.stringify(limits);
      if (text !== this.#known) log.info({ topic, ...limits }, "topic limits read");
      this.#known = text;
      this.#failure = undefined;
      onLimits(limits);
      return true;
    } catch (thrown) {
      const { code, message } = toKafkaError(thrown);
      if (code !== this.#failure)
        log.warn({ topic, code, reason: message }, "topic limits unknown: Kafka alone checks events");
      this.#failure = code;
      return false;
    }
  }

  async #readConfig(): Promise<ReadonlyMap<string, string>> {
    const { kafka: config, topic } = this.#options;
    const admin = await createAdmin({ config, timeoutMs: ATTEMPT_TIMEOUT_MS });
    try {
      return await admin.topicConfig(topic);
    } finally {
      await admin.close();
    }
  }
}
