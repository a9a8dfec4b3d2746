// Sends rejected events again, one by one, so that each outcome is the event's own.

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { createProducer, type KafkaError, type KafkaProducer, type ProducerOptions } from "@ingest/kafka";
import { type RejectedEvent, readRejected, rejectedFiles, takeOver } from "./files.ts";

const CONNECT_TIMEOUT_MS = 10_000;

export interface ReplayOptions {
  config: ProducerOptions["config"];
  journalDir: string;
  /** For lines that name no topic. */
  topic: string;
  /** `error` is null when the event is stored. */
  onOutcome(event: RejectedEvent, error: KafkaError | null): void;
}

/**
 * A file goes once each of its events is stored. Events that are refused again stay, and a run that is killed repeats its
 * file: consumers then see an event twice, with the same `event_id`.
 * @throws KafkaError when no broker responds
 */
export async function replayRejected(options: ReplayOptions): Promise<{ stored: number; refused: number }> {
  const { config, journalDir, topic, onOutcome } = options;
  const producer = createProducer({
    config,
    onOutcome: (error, _, settle) => (settle as (error: KafkaError | null) => void)(error),
  });
  await producer.connect(CONNECT_TIMEOUT_MS);
  let [stored, refused] = [0, 0];
  try {
    for (const path of rejectedFiles(journalDir)) {
      const taken = takeOver(path);
      const left: RejectedEvent[] = [];
      // The producer may have been appending a line when the file was renamed.
      for (let done = 0, events = readRejected(taken); done < events.length; events = readRejected(taken)) {
        for (const event of events.slice(done)) {
          const error = await send(producer, event, topic);
          onOutcome(event, error);
          if (error === null) stored++;
          else left.push({ ...event, code: error.code, reason: error.message });
        }
        done = events.length;
      }
      refused += left.length;
      if (left.length === 0) rmSync(taken);
      else replaceLines(taken, left);
    }
  } finally {
    await producer.close(CONNECT_TIMEOUT_MS);
  }
  return { stored, refused };
}

function replaceLines(path: string, events: readonly RejectedEvent[]): void {
  const lines = events.map(({ place: _, ...line }) => `${JSON.stringify(line)}\n`);
  writeFileSync(`${path}.new`, lines.join(""));
  renameSync(`${path}.new`, path);
}

function send(producer: KafkaProducer, event: RejectedEvent, topic: string): Promise<KafkaError | null> {
  const { promise, resolve } = Promise.withResolvers<KafkaError | null>();
  const { key, receivedMs: timestampMs } = event;
  try {
    producer.produce({
      topic: event.topic ?? topic,
      key,
      value: Buffer.from(event.value, "base64"),
      timestampMs,
      headers: event.headers?.map(([name, value]) => [
        name,
        value === null ? null : Buffer.from(value, "base64"),
      ]),
      context: resolve,
    });
  } catch (error) {
    resolve(error as KafkaError);
  }
  return promise;
}
