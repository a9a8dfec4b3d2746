// An event in flight: what its handler sees of it, and the record and partition it belongs to.
import type { ConsumedRecord, RecordHeaders } from "@ingest/kafka";
import type { DecodedEvent } from "../decode.ts";
import type { ConsumedEvent, EventContext } from "../handler.ts";
import type { PartitionTask } from "./partition-task.ts";

/** Makes a dead letter of an event that was handled and can't be flushed. */
export type Refuse = (inFlight: InFlightEvent, cause: string) => Promise<void>;

export class InFlightEvent implements EventContext {
  readonly task: PartitionTask;
  readonly record: ConsumedRecord;
  readonly event: ConsumedEvent;
  readonly text: string;
  readonly key: string | null;
  tries = 0;
  readonly #refuse: Refuse;

  constructor(task: PartitionTask, record: ConsumedRecord, { event, text }: DecodedEvent, refuse: Refuse) {
    this.#refuse = refuse;
    this.task = task;
    this.record = record;
    this.event = event;
    this.text = text;
    this.key = record.key === null ? null : record.key.toString();
  }

  get topic(): string {
    return this.record.topic;
  }

  get partition(): number {
    return this.record.partition;
  }

  get offset(): number {
    return this.record.offset;
  }

  get timestampMs(): number {
    return this.record.timestampMs;
  }

  get headers(): RecordHeaders {
    return this.record.headers;
  }

  get value(): Buffer | null {
    return this.record.value;
  }

  deadLetter(cause: string): Promise<void> {
    return this.#refuse(this, cause);
  }

  get signal(): AbortSignal {
    return this.task.fenced;
  }
}
