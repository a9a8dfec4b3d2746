// Why connecting failed: a time-out explains little, but librdkafka often reported the cause in the meantime.
import type { EventEmitter } from "node:events";
import { KafkaError, RDKAFKA_ALL_BROKERS_DOWN, toKafkaError } from "./errors.ts";

const ERROR_SEVERITY = 3;

/** A pattern in a log line → librdkafka's code. Before a client can be polled, log lines are its only reports. */
const RDKAFKA_CODE_BY_PATTERN: readonly (readonly [pattern: RegExp, code: number])[] = [
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
    // "All brokers down" only follows from the error of the last broker, which explains more.
    if (error.rdkafkaCode !== RDKAFKA_ALL_BROKERS_DOWN) this.#event = error;
  };

  stop(): void {
    this.client.off("event.log", this.#onLog);
    this.client.off("event.error", this.#onError);
  }

  /** The error that explains the one which ended the attempt. */
  explain(error: KafkaError, timeoutMs: number): KafkaError {
    if (error.code !== "timed_out" && error.code !== "broker_unavailable") return error;
    const text = `No broker responded within ${timeoutMs} ms`;
    if (this.#line !== undefined) {
      const line = this.#line.replace(/^\[thrd:[^\]]*\]: /, "");
      // The broker's address (`sasl_ssl://…`) and its state also contain these words, without being the cause.
      const fault = line.replace(/^\S+: /, "").replace(/ \(after .*/, "");
      const rdkafkaCode =
        RDKAFKA_CODE_BY_PATTERN.find(([pattern]) => pattern.test(fault))?.[1] ?? error.rdkafkaCode;
      return new KafkaError(toKafkaError(rdkafkaCode).code, `${text}: ${line}`, {
        rdkafkaCode,
        cause: error,
      });
    }
    const { code, rdkafkaCode, message } = this.#event ?? error;
    return new KafkaError(code, this.#event ? `${text}: ${message}` : text, { rdkafkaCode, cause: error });
  }
}
