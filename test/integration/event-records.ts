// Numbered events for tests of the consumer, and what their order and number must be afterwards.
import type { ProducerRecord } from "@ingest/kafka";
import type { LogLine } from "@ingest/testkit/service";

/** The record of an event, as the producer service writes it. */
export function eventRecord(
  topic: string,
  number: number,
  { users = 20, id = `e${number}` } = {},
): ProducerRecord {
  const user = `user-${number % users}`;
  const value = {
    event_id: id,
    timestamp: Date.now(),
    event_type: "test",
    user_id: user,
    payload: { number },
  };
  return { topic, key: user, value: Buffer.from(JSON.stringify(value)) };
}

export function eventRecords(topic: string, count: number, from = 0): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => eventRecord(topic, from + i));
}

/** The ids among e0 … e<count-1> that no line has. */
export function missingOf(events: readonly LogLine[], count: number): string[] {
  const ids = new Set(events.map(({ event_id }) => event_id));
  return Array.from({ length: count }, (_, i) => `e${i}`).filter((id) => !ids.has(id));
}

/** Each place where a key's event follows a later one; repeated events count the first time only. */
export function outOfOrder(events: readonly LogLine[]): string[] {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  const violations: string[] = [];
  for (const { key, event_id, payload } of events) {
    if (seen.has(event_id!)) continue;
    seen.add(event_id!);
    const { number } = payload as { number: number };
    if (number < (last.get(key!) ?? -1)) violations.push(`${key}: ${number} after ${last.get(key!)}`);
    last.set(key!, number);
  }
  return violations;
}
