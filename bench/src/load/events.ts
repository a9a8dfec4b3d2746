// The events to send. Event n of a seed is always the same but for its id, which is unique to the run.
import type { BatchFormat } from "../options.ts";

export interface EventSourceOptions {
  /** The beginning of every event id. Must need no escaping in JSON. */
  readonly runId: string;
  /** Number of distinct user ids; 0: no user ids. */
  readonly users: number;
  readonly payloadBytes: number;
  readonly seed: number;
}

export interface EventSource {
  /** The id of event `n`. */
  idOf(n: number): string;
  /** Event `n` as JSON. It is ASCII, so its length is its size in bytes. */
  event(n: number): string;
  /** Events `first` to `first + count - 1` as one request body. */
  batch(first: number, count: number, format: BatchFormat): string;
}

/** The id of a run: 40 random bits, so that runs against one topic don't collide. */
export function createRunId(): string {
  return `bench-${Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString("hex")}`;
}

/**
 * The number in an event id of this run.
 * @returns undefined for an id that is not of this run
 */
export function numberOf(runId: string, eventId: string): number | undefined {
  if (!eventId.startsWith(runId) || eventId[runId.length] !== "-") return undefined;
  const digits = eventId.slice(runId.length + 1);
  return /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : undefined;
}

/** Payloads are slices of a text of this size, which is larger than a compressor's window. */
const TEXT_BYTES = 256 * 1024;

export function createEventSource({ runId, users, payloadBytes, seed }: EventSourceOptions): EventSource {
  const text = randomText(seed, TEXT_BYTES + payloadBytes);
  const before = `{"event_type":"bench","event_id":"${runId}-`;

  function event(n: number): string {
    const random = mix(seed, n);
    const user = users === 0 ? "" : `,"user_id":"user-${random % users}"`;
    const from = (random >>> 3) % TEXT_BYTES;
    return `${before}${n}"${user},"payload":{"text":"${text.slice(from, from + payloadBytes)}"}}`;
  }

  return {
    idOf: (n) => `${runId}-${n}`,
    event,
    batch(first, count, format) {
      const events = new Array<string>(count);
      for (let i = 0; i < count; i++) events[i] = event(first + i);
      return format === "ndjson" ? `${events.join("\n")}\n` : `[${events.join(",")}]`;
    },
  };
}

/** A 32-bit hash of (seed, n): the finalizer of MurmurHash3, in which every output bit depends on every input bit. */
function mix(seed: number, n: number): number {
  let x = (seed ^ Math.imul(n + 1, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Text of a few hundred made-up words: it compresses about as well as real payloads do. */
function randomText(seed: number, length: number): string {
  let state = 0;
  const random = (below: number) => mix(~seed, state++) % below;
  const words = Array.from({ length: 512 }, () =>
    String.fromCharCode(...Array.from({ length: 3 + random(8) }, () => 97 + random(26))),
  );
  const parts: string[] = [];
  for (let size = 0; size < length; size += parts.at(-1)!.length + 1)
    parts.push(words[random(words.length)]!);
  return parts.join(" ").slice(0, length);
}
