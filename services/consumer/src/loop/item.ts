// An event under way: what its handler is told, and what it takes to be done with it.
import type { StoredEvent } from "@ingest/contract";
import type { ConsumedRecord } from "@ingest/kafka";
import type { DecodedEvent } from "../decode.ts";
import type { EventContext } from "../handler.ts";
import type { PartitionWork } from "./partition-work.ts";

export class Item implements EventContext {
  readonly work: PartitionWork;
  readonly record: ConsumedRecord;
  readonly event: StoredEvent;
  readonly text: string;
  readonly key: string | null;
  tries = 0;

  constructor(work: PartitionWork, record: ConsumedRecord, { event, text }: DecodedEvent) {
    this.work = work;
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

  get headers(): Readonly<Record<string, Buffer>> {
    return this.record.headers;
  }

  get signal(): AbortSignal {
    return this.work.fenced;
  }
}
