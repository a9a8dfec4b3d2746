// The package's types. They stand alone: no type of the DOM, of Node or of another package, so that they fit every program.

/** How safe an event is once it counts as delivered. */
export type Durability = "accepted" | "durable" | "stored";

/** An event as the producer takes it. */
export interface EventInput {
  event_type: string;
  event_id?: string;
  /** The record's key: the events of one user stay in order. */
  user_id?: string;
  /** RFC 3339, or Unix milliseconds. */
  timestamp?: string | number;
  payload?: Record<string, unknown>;
  /** The version of the payload's schema. Default: the newest. */
  schema_version?: number;
}

/** The producer's result for one event of a batch. */
export interface EventResult {
  /** The event's place in the batch. */
  index: number;
  /**
   * A durability: the event was taken. `invalid`: it can never be taken as it is. `retry`: not taken, send it again later.
   * `unknown`: not confirmed in time, it may still arrive.
   */
  status: Durability | "invalid" | "retry" | "unknown";
  event_id?: string;
  /** The problem's code; see docs/problems.md. */
  code?: string;
  errors?: { pointer: string; message: string }[];
  retry_after_seconds?: number;
  topic?: string;
  partition?: number;
  offset?: number;
}

export interface TrackOptions {
  /** The user. The events of one user stay in order. */
  userId?: string;
  /** When the event happened: a date, an RFC 3339 string or Unix milliseconds. Default: now. */
  timestamp?: Date | string | number;
  /** Default: a new UUIDv7. */
  eventId?: string;
  /** The version of the payload's schema. Default: the newest. */
  schemaVersion?: number;
}

/**
 * - `queue_full`: the queue is at its bound
 * - `too_large`: the event alone is larger than the queue
 * - `not_json`: the payload can't be written as JSON, for example because it contains itself
 * - `closed`: `close` has been called
 */
export type RejectReason = "queue_full" | "too_large" | "not_json" | "closed";

export type TrackResult =
  | { status: "queued"; eventId: string }
  | { status: "rejected"; eventId: string; reason: RejectReason };

/** Why the client stopped sending: a response that a retry of the same request can't change. */
export interface StopReason {
  /** The HTTP status: 401 for an unknown key, 403 for one that may not send, 404 for a wrong URL. */
  status: number;
  /** The problem's code, when the response has one. */
  code?: string;
  detail?: string;
}

/**
 * - `queue_full`: dropped for a newer event, with `whenFull: "drop_oldest"`
 * - `closed`: `close` timed out, and there is no store
 */
export type DropReason = "queue_full" | "closed";

export interface ClientOptions {
  /** The producer's base URL. In a page it may be relative. */
  url: string;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  /** The level at which an event counts as delivered. Default: what the producer's operator has set for this caller. */
  durability?: Durability;

  /** Most events in a batch. Default: 500. */
  maxBatchEvents?: number;
  /** Largest batch before compression, bytes. Default: 512 KiB. A larger event is sent by itself. */
  maxBatchBytes?: number;
  /** How long an event waits for others to share its request, ms. Default: 1,000. */
  lingerMs?: number;
  /** Bodies of this size and above are compressed with gzip, where the platform can. Default: 1,024. */
  compressAboveBytes?: number;
  /** A request without a complete response is given up after this time, ms, and sent again. Default: 30,000. */
  requestTimeoutMs?: number;

  /** Bounds of the queue, which holds events until they are delivered. Defaults: 10,000 events, 8 MiB. */
  maxQueueEvents?: number;
  maxQueueBytes?: number;
  /** At a bound, `reject` the new event (the default), or `drop_oldest`: the oldest that is not in flight. */
  whenFull?: "reject" | "drop_oldest";

  /** The longest pause after the first failure, ms; doubled after each further one. Default: 500. */
  backoffMs?: number;
  /** The longest pause, ms, unless `Retry-After` asks for a longer one. Default: 30,000. */
  maxBackoffMs?: number;

  /** Keeps events across restarts and reloads: `createIndexedDbStore()` or `createFileStore(path)`. */
  store?: EventStore;
  /**
   * How a page that is left sends what it has. `fetch` (the default): with keepalive. `beacon`: by `navigator.sendBeacon`;
   * the key then goes into the URL, so the caller's key must be allowed in the query. Browsers without keepalive get the
   * beacon when there is no key.
   */
  onPageHide?: "fetch" | "beacon";

  /** The producer took the event. */
  onDelivered?(event: EventInput, result: EventResult): void;
  /** The producer can never take the event. */
  onInvalid?(event: EventInput, result: EventResult): void;
  /** The event was queued, and will not be sent. */
  onDropped?(event: EventInput, reason: DropReason): void;
  /** Nothing is sent until `resume`. Events stay queued. */
  onStopped?(reason: StopReason): void;
  /** The store failed. Events stay in memory. */
  onStoreError?(error: unknown): void;

  /** Default: the platform's `fetch`. */
  fetch?: Fetch;
}

/** Counters, and the state of the queue. */
export interface ClientStats {
  /** Events without a fate. */
  queuedEvents: number;
  queuedBytes: number;
  delivered: number;
  invalid: number;
  /** Queued, and dropped. */
  dropped: number;
  /** Never queued: `track` returned `rejected`. */
  rejected: number;
  requests: number;
  /** Requests after which some events had to be sent again. */
  retries: number;
}

/** How `flush` and `close` ended. */
export interface FlushResult {
  /** Events, of those that were queued by then, that have no fate: neither delivered, nor invalid, nor dropped. */
  pending: number;
}

export interface Client {
  /** Queues an event. Never throws, and never waits. */
  track(type: string, payload?: Record<string, unknown>, options?: TrackOptions): TrackResult;
  /**
   * Sends what is queued, and resolves when each event has a fate, when the client stops, or after `timeoutMs` (30,000 by
   * default).
   */
  flush(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Takes no more events, flushes, and releases the store. What then has no fate stays in the store, or is dropped. */
  close(options?: { timeoutMs?: number }): Promise<FlushResult>;
  /** Sends again after the client has stopped, with another key where one is given. */
  resume(key?: string): void;
  stats(): ClientStats;
}

/** An event as a store keeps it. */
export interface SavedEvent {
  readonly id: string;
  /** The event as JSON. */
  readonly json: string;
}

/** Keeps events across restarts. */
export interface EventStore {
  /**
   * Takes over events that earlier clients left, oldest first, as many as there is room for. Called at the start, and every
   * few seconds.
   * @throws when the store can't be used
   */
  load(room: { events: number; bytes: number }): Promise<readonly SavedEvent[]>;
  /** @param onError called once when the event could not be kept */
  add(event: SavedEvent, onError: (error: unknown) => void): void;
  remove(ids: readonly string[], onError: (error: unknown) => void): void;
  close(): Promise<void>;
}

/** The part of the Fetch standard that the client uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

export interface FetchInit {
  method: "POST";
  headers: Record<string, string>;
  body: string | ArrayBuffer;
  keepalive?: boolean;
  signal: AbortSignalLike;
}

/** An `AbortSignal`. */
// biome-ignore lint/suspicious/noExplicitAny: each platform's own type of signal fits, and fits its fetch
export type AbortSignalLike = any;

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}
