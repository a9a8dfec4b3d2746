// The interface of event handlers, and the context they get with each event.
import type { StoredEvent } from "@ingest/contract";
import type { RecordHeaders, TopicPartitionOffset } from "@ingest/kafka";

/** An event as handlers get it: one of this service, or a CloudEvent in the same shape. */
export interface ConsumedEvent extends Omit<StoredEvent, "payload"> {
  /** An object; of a CloudEvent its data, which may be any JSON value, or a text that is not JSON. */
  payload?: unknown;
  /**
   * Of a CloudEvent: the attributes that the event has no member for, such as `source`, `subject`, `datacontenttype` and
   * extensions; and `data_base64` where the data is neither JSON nor text.
   */
  cloudevent?: Readonly<Record<string, unknown>>;
}

/** The event's record in Kafka, and the current try. */
export interface EventContext {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's key: the event's user_id, or null. */
  readonly key: string | null;
  /** When the API received the event (the record's timestamp), Unix ms; -1 if unknown. */
  readonly timestampMs: number;
  /** In the record's order; names may repeat. `lastHeader` finds one. */
  readonly headers: RecordHeaders;
  /** The record's value. */
  readonly value: Buffer | null;
  /** The event's JSON text: as it stands in the record, or a CloudEvent in the shape of `ConsumedEvent`. */
  readonly text: string;
  /** 1 for the first try, 2 for the first retry. */
  readonly tries: number;
  /**
   * For handlers that collect events and find in `flush` that this one can't be stored, ever: writes its record to the
   * dead-letter topic. `flush` must wait for it. @param cause human-readable
   * @throws Error when it could not be written
   */
  deadLetter(cause: string): Promise<void>;
  /** Aborted when the partition is revoked: the handler should stop, because its outcome no longer counts. */
  readonly signal: AbortSignal;
}

/** How far a partition was handled: every record below `offset` is finished. */
export interface HandledPosition extends TopicPartitionOffset {
  /** The topic that the offset is of: one that is created again has another. */
  readonly topicId: string;
  /** The partition's log was truncated: its offsets below are of other records now, so a higher position is void. */
  readonly isRewound: boolean;
}

/**
 * Handles events: each at least once, events with the same key in order. With CONSUMER_CONCURRENCY above 1, events of one
 * partition with different keys are handled concurrently; otherwise one after the other.
 */
export interface EventHandler {
  /** The value of CONSUMER_HANDLER. */
  readonly name: string;
  /** Called once, before the first event. A failure stops the service. */
  start?(): Promise<void> | void;
  /**
   * Handles one event. Returning or resolving means handled, once `flush` has succeeded if there is one. Throwing means
   * retry, and the dead-letter topic after the last try. A PermanentFailure goes there without a retry; a RetryLater is
   * retried no earlier than it says.
   */
  handle(event: ConsumedEvent, context: EventContext): Promise<void> | void;
  /**
   * For handlers that buffer: resolves when every event handled before the call is stored. Offsets are committed only
   * after that. `positions` are those of before the call. A failure concerns the storage and not an event, so the flush is retried until it succeeds.
   */
  flush?(positions: readonly HandledPosition[]): Promise<void> | void;
  /**
   * For handlers that store positions together with their effect: what is stored for the topic. A partition is read from
   * there when that is past the committed offset.
   */
  storedPositions?(topic: string, topicId: string): Promise<readonly TopicPartitionOffset[]>;
  /** Called once, after the last event and flush. */
  stop?(): Promise<void> | void;
}

/** A failure that retrying can't fix: this event can never be handled. */
export class PermanentFailure extends Error {
  override name = "PermanentFailure";
}

/** A failure whose cause names the time after which a retry is worth it, as HTTP's `Retry-After` does. */
export class RetryLater extends Error {
  override name = "RetryLater";
  /** At least this long until the next try, ms. At most 5 minutes are waited. */
  readonly afterMs: number;

  constructor(message: string, afterMs: number) {
    super(message);
    this.afterMs = afterMs;
  }
}
