// Events that were acknowledged and that Kafka then refuses for good: a file beside the journal, for a person to look at.

import { appendFile } from "node:fs/promises";
import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";

/** A line of the file. The value is base64: whatever it is, it comes back byte for byte. */
export interface RejectedLine {
  at: string;
  code: string;
  reason: string;
  key: string | null;
  value: string;
}

export class RejectedEvents {
  #count = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly path: string,
    readonly log: Log,
  ) {}

  get count(): number {
    return this.#count;
  }

  add(record: { key: string | null; value: Buffer }, error: KafkaError): void {
    this.#count++;
    const line: RejectedLine = {
      at: new Date().toISOString(),
      code: error.code,
      reason: error.message,
      key: record.key,
      value: record.value.toString("base64"),
    };
    const text = `${JSON.stringify(line)}\n`;
    this.#writing = this.#writing
      .then(() => appendFile(this.path, text))
      .catch((cause) =>
        this.log.error({ error: cause, path: this.path }, "a rejected event can't be set aside"),
      );
  }

  /** Resolves when all that was added is written. */
  settled(): Promise<void> {
    return this.#writing;
  }
}
