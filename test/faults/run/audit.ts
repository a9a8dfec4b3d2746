// The end of a run: what was answered, held against what the topic has and what the consumer did.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type ClientConfig, type KafkaAdmin, readTopic } from "@ingest/kafka";
import type { Ledger } from "./ledger.ts";

/** Why an event may be in the topic more than once. */
export type Cause =
  | "sent again by its caller"
  | "replayed after a kill"
  | "taken back"
  | "left at a stop"
  | "unknown";

export interface AuditOptions {
  ledger: Ledger;
  admin: KafkaAdmin;
  /** For reading the topic past the proxy. */
  config: ClientConfig;
  topic: string;
  consumerLogs: readonly string[];
  /** Was this life of the producer ended by SIGKILL? */
  wasKilled(life: number): boolean;
  /** Why this life of the producer, or the next one, may have sent events again. */
  whySentAgain(life: number): Cause;
}

export interface Audit {
  /** Records in the topic, and events among them. */
  records: number;
  events: number;
  /** Records of an event that was there already. */
  duplicates: number;
  /** The same by cause; of `unknown` ones there must be none. */
  duplicatesBy: Partial<Record<Cause, number>>;
  /** Answered durable or stored, and not in the topic. Must be 0. */
  missing: number;
  /** Answered accepted by a process that lived on, and not in the topic. Must be 0. */
  missingAccepted: number;
  /** Answered accepted by a process that was killed then: the one loss that is allowed. */
  lostWithProcess: number;
  /** Events in the topic before an older one of the same user. Must be 0. */
  disorder: number;
  /** The same for events that only a killed process knew of, which may land late. */
  lateFromKilled: number;
  /** Records that the consumer's log doesn't have. Must be 0. */
  notHandled: number;
  /** Lines of the consumer for a record it had handled before. */
  handledAgain: number;
  /** The first few that are wrong, for a person to look for. */
  examples: string[];
}

export async function audit(options: AuditOptions): Promise<Audit> {
  const result: Audit = {
    records: 0,
    events: 0,
    duplicates: 0,
    duplicatesBy: {},
    missing: 0,
    missingAccepted: 0,
    lostWithProcess: 0,
    disorder: 0,
    lateFromKilled: 0,
    notHandled: 0,
    handledAgain: 0,
    examples: [],
  };
  await checkTopic(options, result);
  await checkConsumer(options, result);
  return result;
}

async function checkTopic(options: AuditOptions, result: Audit): Promise<void> {
  const { ledger, config, topic, wasKilled } = options;
  const seen = Array.from({ length: ledger.users }, (_, user) => new Uint8Array(ledger.countOf(user)));
  const last = new Int32Array(ledger.users).fill(-1);
  for await (const batch of readTopic({ config, topic })) {
    for (const record of batch) {
      result.records++;
      const event = ledger.parse((JSON.parse(record.value!.toString()) as { event_id: string }).event_id);
      if (!event) continue;
      const { user, n } = event;
      if (seen[user]![n] === 1) {
        result.duplicates++;
        const cause = causeOf(options, user, n);
        result.duplicatesBy[cause] = (result.duplicatesBy[cause] ?? 0) + 1;
        if (cause === "unknown")
          note(result, `${ledger.idOf(user, n)} is at ${record.partition}/${record.offset} once more`);
        continue;
      }
      seen[user]![n] = 1;
      result.events++;
      if (n > last[user]!) last[user] = n;
      else if (ledger.answerOf(user, n) === "accepted" && wasKilled(ledger.lifeOf(user, n)))
        result.lateFromKilled++;
      else {
        result.disorder++;
        note(
          result,
          `${ledger.idOf(user, n)} at ${record.partition}/${record.offset} after number ${last[user]}`,
        );
      }
    }
  }
  for (let user = 0; user < ledger.users; user++) {
    for (let n = 0; n < ledger.countOf(user); n++) {
      if (seen[user]![n] === 1) continue;
      const answer = ledger.answerOf(user, n);
      if (answer === "none") continue;
      if (answer === "accepted" && wasKilled(ledger.lifeOf(user, n))) {
        result.lostWithProcess++;
        continue;
      }
      if (answer === "accepted") result.missingAccepted++;
      else result.missing++;
      note(result, `${ledger.idOf(user, n)}, ${answer} by process ${ledger.lifeOf(user, n)}, is missing`);
    }
  }
}

function causeOf({ ledger, whySentAgain }: AuditOptions, user: number, n: number): Cause {
  return ledger.isRepeated(user, n) ? "sent again by its caller" : whySentAgain(ledger.lifeOf(user, n));
}

async function checkConsumer({ admin, topic, consumerLogs }: AuditOptions, result: Audit): Promise<void> {
  const handled = new Map<number, Uint8Array>();
  for (const { partition, high } of await admin.offsets(topic)) handled.set(partition, new Uint8Array(high));
  for (const path of consumerLogs) {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      // A process that was killed while it wrote leaves half a line.
      const place = /"topic":"([^"]+)","partition":(\d+),"offset":(\d+),/.exec(line);
      if (!place || place[1] !== topic) continue;
      const records = handled.get(Number(place[2]))!;
      const offset = Number(place[3]);
      if (records[offset] === 1) result.handledAgain++;
      records[offset] = 1;
    }
  }
  for (const [partition, records] of handled) {
    for (let offset = 0; offset < records.length; offset++) {
      if (records[offset] === 1) continue;
      result.notHandled++;
      note(result, `${topic} ${partition}/${offset} was not handled`);
    }
  }
}

function note(result: Audit, example: string): void {
  if (result.examples.length < 20) result.examples.push(example);
}
