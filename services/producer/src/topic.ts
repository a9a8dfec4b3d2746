// Makes the topic when it is missing, as soon as Kafka answers. The service is up meanwhile.
import { type ClientConfig, createAdmin, type NewTopic, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const ATTEMPT_TIMEOUT_MS = 10_000;
const STOP_WAIT_MS = 500;

export interface TopicStepOptions {
  kafka: ClientConfig;
  topic: NewTopic;
  log: Log;
  /** How long Kafka has to answer, ms. */
  attemptTimeoutMs?: number;
}

export class TopicStep {
  readonly #options: TopicStepOptions;
  #isStopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  /** The topic is there. */
  isMade = false;
  /** The first attempt has ended, well or not. */
  isTried = false;

  constructor(options: TopicStepOptions) {
    this.#options = options;
  }

  /** Begins to try, and returns. */
  start(): void {
    this.#running = this.#tryUntilMade();
  }

  /** An attempt that is under way is left behind: while Kafka is away it would hold the stop up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await Promise.race([this.#running, Bun.sleep(STOP_WAIT_MS)]);
  }

  async #tryUntilMade(): Promise<void> {
    const { log, topic } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isStopped; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const outcome = await this.#try();
        log.info({ topic: topic.topic, outcome }, "the topic is there");
        this.isMade = true;
        return;
      } catch (thrown) {
        const { code, message } = toKafkaError(thrown);
        log.warn(
          { topic: topic.topic, code, reason: message },
          "the topic can't be looked at yet: trying on",
        );
      } finally {
        this.isTried = true;
      }
      await this.#pause(pauseMs);
    }
  }

  async #try(): Promise<"created" | "exists"> {
    const { kafka, topic, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS } = this.#options;
    const admin = await createAdmin({ config: kafka, timeoutMs: attemptTimeoutMs });
    try {
      return await admin.ensureTopic(topic);
    } finally {
      await admin.close();
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
