// An event in flight: what its handler sees of it, and the record and partition it belongs to.
import type { StoredEvent } from "@ingest/contract";
import type { ConsumedRecord, RecordHeaders } from "@ingest/kafka";
import type { DecodedEvent } from "../decode.ts";
import type { EventContext } from "../handler.ts";
import type { PartitionTask } from "./partition-task.ts";

export class InFlightEvent implements EventContext {
  readonly task: PartitionTask;
  readonly record: ConsumedRecord;
  readonly event: StoredEvent;
  readonly text: string;
  readonly key: string | null;
  tries = 0;

  constructor(task: PartitionTask, record: ConsumedRecord, { event, text }: DecodedEvent) {
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

  get signal(): AbortSignal {
    return this.task.fenced;
  }
}
