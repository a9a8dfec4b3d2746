// Why nobody answered: a time-out says little, and what librdkafka reported meanwhile often says it all.
import type { EventEmitter } from "node:events";
import { KafkaError, RDKAFKA_ALL_BROKERS_DOWN, toKafkaError } from "./errors.ts";

const ERROR_SEVERITY = 3;

/** A log line's words → librdkafka's code. The line is all there is before a client may be polled. */
const NUMBER_BY_WORDS: readonly (readonly [words: RegExp, number: number])[] = [
  [/sasl|authenticat/i, -169],
  [/ssl|certificate|handshake/i, -181],
  [/resolve/i, -193],
  [/connect|disconnect|refused|reset|timed out/i, -195],
];

/** Listens to a client while it connects. */
export class ConnectReasons {
  #line: string | undefined;
  #event: KafkaError | undefined;

  constructor(private readonly client: EventEmitter) {
    client.on("event.log", this.#onLog);
    client.on("event.error", this.#onError);
  }

  readonly #onLog = (log: { severity: number; message: string }): void => {
    if (log.severity <= ERROR_SEVERITY) this.#line = log.message;
  };

  readonly #onError = (thrown: unknown): void => {
    const error = toKafkaError(thrown);
    // That all brokers are down follows from what was wrong with the last of them, which says more.
    if (error.rdkafkaCode !== RDKAFKA_ALL_BROKERS_DOWN) this.#event = error;
  };

  stop(): void {
    this.client.off("event.log", this.#onLog);
    this.client.off("event.error", this.#onError);
  }

  /** The error to show for one that ended the attempt. */
  explain(error: KafkaError, timeoutMs: number): KafkaError {
    if (error.code !== "timed_out" && error.code !== "broker_unavailable") return error;
    const text = `No broker answered within ${timeoutMs} ms`;
    if (this.#line !== undefined) {
      const line = this.#line.replace(/^\[thrd:[^\]]*\]: /, "");
      // Not the broker's address (`sasl_ssl://…`) nor the state it was in: both name what wasn't at fault.
      const fault = line.replace(/^\S+: /, "").replace(/ \(after .*/, "");
      const number = NUMBER_BY_WORDS.find(([words]) => words.test(fault))?.[1] ?? error.rdkafkaCode;
      return new KafkaError(toKafkaError(number).code, `${text}: ${line}`, {
        rdkafkaCode: number,
        cause: error,
      });
    }
    const { code, rdkafkaCode, message } = this.#event ?? error;
    return new KafkaError(code, this.#event ? `${text}: ${message}` : text, { rdkafkaCode, cause: error });
  }
}
