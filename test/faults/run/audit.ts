// The end of a run: acknowledgements are compared with the topic, and the topic with what the consumers logged.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type ClientConfig, type KafkaAdmin, readTopic } from "@ingest/kafka";
import type { Ledger } from "./ledger.ts";

/** Why the topic may have an event more than once. */
export type DuplicateCause =
  | "retried by the caller"
  | "replayed after a kill"
  | "resent by the producer"
  | "journalled at shutdown"
  | "unknown";

export interface AuditOptions {
  ledger: Ledger;
  admin: KafkaAdmin;
  /** For clients that bypass the proxy. */
  config: ClientConfig;
  topic: string;
  consumerLogs: readonly string[];
  /** True where this process of the producer was ended by SIGKILL. */
  wasKilled(processIndex: number): boolean;
  /** Why this process of the producer, or the one after it, may have sent events twice. */
  causeOfDuplicates(processIndex: number): DuplicateCause;
}

export interface Audit {
  /** Records in the topic. */
  records: number;
  /** Distinct events in the topic. */
  events: number;
  /** Records of an event that has an earlier record. */
  duplicates: number;
  /** The same by cause; `unknown` must be 0. */
  duplicatesByCause: Partial<Record<DuplicateCause, number>>;
  /** Events acknowledged as durable or stored that are not in the topic. Must be 0. */
  missing: number;
  /** Events accepted by a process that was not killed, and not in the topic. Must be 0. */
  missingAccepted: number;
  /** Events accepted by a process that was killed, and not in the topic: the one loss that `accepted` allows. */
  lostWithProcess: number;
  /** Events behind a later event of the same user. Must be 0. */
  outOfOrder: number;
  /** Events behind a later one that only a killed process had accepted: they may be written late. */
  lateFromKilled: number;
  /** Records that no consumer has logged. Must be 0. */
  unhandled: number;
  /** Lines of the consumers for a record that was logged before. */
  redelivered: number;
  /** The first violations, each with the event's id or the record's place. */
  examples: string[];
}

const MAX_EXAMPLES = 20;

export async function audit(options: AuditOptions): Promise<Audit> {
  const result: Audit = {
    records: 0,
    events: 0,
    duplicates: 0,
    duplicatesByCause: {},
    missing: 0,
    missingAccepted: 0,
    lostWithProcess: 0,
    outOfOrder: 0,
    lateFromKilled: 0,
    unhandled: 0,
    redelivered: 0,
    examples: [],
  };
  const seen = await auditTopic(options, result);
  auditAcknowledgements(options, seen, result);
  await auditConsumers(options, result);
  return result;
}

/** Counts records, duplicates and disorder. @returns for each user, which events the topic has */
async function auditTopic(options: AuditOptions, result: Audit): Promise<Uint8Array[]> {
  const { ledger, config, topic } = options;
  const seen = Array.from({ length: ledger.users }, (_, user) => new Uint8Array(ledger.countOf(user)));
  const latest = new Int32Array(ledger.users).fill(-1);
  for await (const batch of readTopic({ config, topic })) {
    for (const record of batch) {
      result.records++;
      const event = ledger.parse((JSON.parse(record.value!.toString()) as { event_id: string }).event_id);
      if (!event) continue;
      const { user, n } = event;
      const place = `${ledger.idOf(user, n)} at ${record.partition}/${record.offset}`;
      if (seen[user]![n] === 1) {
        result.duplicates++;
        const cause = causeOf(options, user, n);
        result.duplicatesByCause[cause] = (result.duplicatesByCause[cause] ?? 0) + 1;
        if (cause === "unknown") addExample(result, `${place} is a duplicate without a known cause`);
        continue;
      }
      seen[user]![n] = 1;
      result.events++;
      if (n > latest[user]!) latest[user] = n;
      else if (isLossAllowed(options, user, n)) result.lateFromKilled++;
      else {
        result.outOfOrder++;
        addExample(result, `${place} is behind event ${latest[user]} of the same user`);
      }
    }
  }
  return seen;
}

/** Counts acknowledged events that the topic does not have. */
function auditAcknowledgements(options: AuditOptions, seen: readonly Uint8Array[], result: Audit): void {
  const { ledger } = options;
  for (let user = 0; user < ledger.users; user++) {
    for (let n = 0; n < ledger.countOf(user); n++) {
      if (seen[user]![n] === 1) continue;
      const acknowledgement = ledger.acknowledgementOf(user, n);
      if (acknowledgement === "none") continue;
      if (isLossAllowed(options, user, n)) {
        result.lostWithProcess++;
        continue;
      }
      if (acknowledgement === "accepted") result.missingAccepted++;
      else result.missing++;
      const process = ledger.processOf(user, n);
      addExample(
        result,
        `${ledger.idOf(user, n)} is missing: process ${process} responded ${acknowledgement}`,
      );
    }
  }
}

/** An event that is only accepted may be lost, or arrive late, when its process is killed. */
function isLossAllowed({ ledger, wasKilled }: AuditOptions, user: number, n: number): boolean {
  return ledger.acknowledgementOf(user, n) === "accepted" && wasKilled(ledger.processOf(user, n));
}

function causeOf({ ledger, causeOfDuplicates }: AuditOptions, user: number, n: number): DuplicateCause {
  return ledger.isRetried(user, n) ? "retried by the caller" : causeOfDuplicates(ledger.processOf(user, n));
}

/** Counts records that the consumers logged twice or not at all. */
async function auditConsumers({ admin, topic, consumerLogs }: AuditOptions, result: Audit): Promise<void> {
  const handled = new Map<number, Uint8Array>();
  for (const { partition, high } of await admin.offsets(topic)) handled.set(partition, new Uint8Array(high));
  for (const path of consumerLogs) {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      // A process that was killed while it wrote leaves an incomplete line, which does not match.
      const place = /"topic":"([^"]+)","partition":(\d+),"offset":(\d+),/.exec(line);
      if (!place || place[1] !== topic) continue;
      const offsets = handled.get(Number(place[2]))!;
      const offset = Number(place[3]);
      if (offsets[offset] === 1) result.redelivered++;
      offsets[offset] = 1;
    }
  }
  for (const [partition, offsets] of handled) {
    for (let offset = 0; offset < offsets.length; offset++) {
      if (offsets[offset] === 1) continue;
      result.unhandled++;
      addExample(result, `${topic} ${partition}/${offset} was not handled`);
    }
  }
}

function addExample(result: Audit, example: string): void {
  if (result.examples.length < MAX_EXAMPLES) result.examples.push(example);
}
