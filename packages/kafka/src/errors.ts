// librdkafka's errors in all their forms → KafkaError. The only place that inspects thrown values.
import { type DeliveryFault, type ErrorKind, kafkaErrors } from "./error-table.ts";

export { kafkaErrors };

/** The kind of error. */
export type KafkaErrorCode = keyof typeof kafkaErrors;

/** librdkafka's codes that other modules compare with. */
export const RDKAFKA_QUEUE_FULL = -184;
export const RDKAFKA_ABANDONED = -197;
export const RDKAFKA_PURGED_IN_QUEUE = -152;
export const RDKAFKA_PURGED_IN_FLIGHT = -151;
export const RDKAFKA_INCONSISTENT = -149;
export const RDKAFKA_MESSAGE_TOO_LARGE = 10;
export const RDKAFKA_ALL_BROKERS_DOWN = -187;
export const RDKAFKA_NOT_CONNECTED = -172;

/** A failure that Kafka or its client reported. */
export class KafkaError extends Error {
  override name = "KafkaError";
  readonly code: KafkaErrorCode;
  /** librdkafka's own code; -1 when there is none. */
  readonly rdkafkaCode: number;
  /** See `kafkaErrors`: whether the same call may succeed later, unchanged. */
  readonly canRetry: boolean;
  /** Whether the client is unusable from now on and must be replaced. */
  readonly isFatal: boolean;

  constructor(
    code: KafkaErrorCode,
    message: string,
    details: { rdkafkaCode?: number; canRetry?: boolean; isFatal?: boolean; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const kind: ErrorKind = kafkaErrors[code];
    this.code = code;
    this.rdkafkaCode = details.rdkafkaCode ?? kind.rdkafkaCodes[0] ?? -1;
    this.canRetry = details.canRetry ?? kind.canRetry;
    this.isFatal = details.isFatal ?? kind.isFatal ?? false;
  }

  /** What has to change before the record can be stored. */
  get fault(): DeliveryFault {
    return kafkaErrors[this.code].fault;
  }

  /** For people: what this kind of error means. */
  get meaning(): string {
    return kafkaErrors[this.code].meaning;
  }
}

const codeByNumber = new Map<number, KafkaErrorCode>();
for (const [code, kind] of Object.entries(kafkaErrors) as [KafkaErrorCode, ErrorKind][]) {
  for (const number of kind.rdkafkaCodes) codeByNumber.set(number, code);
}

/**
 * Error events reach JavaScript as text alone (the addon passes `rd_kafka_err2str`'s words without the number, and
 * Confluent's error class lowers their case). These are the ones librdkafka raises outside any call.
 */
const numberByText: readonly (readonly [text: string, number: number])[] = [
  ["all broker connections are down", -187],
  ["broker transport failure", -195],
  ["host resolution failure", -193],
  ["authentication failure", -169],
  ["sasl authentication failed", 58],
  ["ssl error", -181],
  ["fatal error", -150],
  ["maximum application poll interval", -147],
  ["topic authorization failed", 29],
  ["group authorization failed", 30],
  ["cluster authorization failed", 31],
  ["this instance has been fenced", -144],
  ["unknown topic or partition", 3],
  ["unknown topic", -188],
  ["unknown partition", -190],
  ["queue full", -184],
  ["message timed out", -192],
  ["timed out", -185],
  ["is disconnected", -172],
  ["not connected", -172],
  ["erroneous state", -172],
  ["not supported in this build", -165],
  ["no such configuration property", -186],
  ["must be configured", -186],
  ["invalid value", -186],
  ["configuration property", -186],
];

/** The code of a librdkafka number; `unknown` for one that isn't in the table. */
export function toKafkaErrorCode(rdkafkaCode: number): KafkaErrorCode {
  return codeByNumber.get(rdkafkaCode) ?? "unknown";
}

/**
 * Whatever was thrown or called back → a KafkaError: Confluent's errors, bare numbers, and anything else.
 * Never throws, whatever it is given.
 */
export function toKafkaError(thrown: unknown): KafkaError {
  if (thrown instanceof KafkaError) return thrown;
  try {
    const fields = readFields(thrown);
    const number = fields.number ?? numberOf(fields.message);
    return new KafkaError(toKafkaErrorCode(number), fields.message, {
      rdkafkaCode: number,
      ...(fields.isFatal ? { isFatal: true } : {}),
      ...(fields.isRetriable ? { canRetry: true } : {}),
      cause: thrown,
    });
  } catch {
    // A getter or proxy that throws when looked at.
    return new KafkaError("unknown", "An error that can't be read", { rdkafkaCode: -1 });
  }
}

interface ErrorFields {
  number: number | undefined;
  message: string;
  isFatal: boolean;
  isRetriable: boolean;
}

function readFields(thrown: unknown): ErrorFields {
  const none = { number: undefined, isFatal: false, isRetriable: false };
  if (typeof thrown === "number") return { ...none, number: thrown, message: meaningOf(thrown) };
  if (typeof thrown !== "object" || thrown === null) return { ...none, message: String(thrown) };
  const { code, message, isFatal, isRetriable } = thrown as Partial<Record<string, unknown>>;
  const number = typeof code === "number" && code !== -1 ? code : undefined;
  return {
    number,
    message:
      typeof message === "string" && message !== "" ? message : number ? meaningOf(number) : "Unknown error",
    isFatal: isFatal === true,
    isRetriable: isRetriable === true,
  };
}

function meaningOf(number: number): string {
  return `${kafkaErrors[toKafkaErrorCode(number)].meaning} (librdkafka ${number})`;
}

function numberOf(message: string): number {
  const text = message.toLowerCase();
  return numberByText.find(([words]) => text.includes(words))?.[1] ?? -1;
}
