// Settings of delivery, and the contradictions between them that must not boot.

import type { ProducerSettings } from "@ingest/kafka";
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

export const deliverySettings = {
  STORED_DEADLINE_MS: Type.Integer({
    default: 30_000,
    minimum: 100,
    maximum: 300_000,
    description: "How long a caller who asked for `durable` or `stored` waits before the answer is 504.",
  }),
  DELIVERY_STALL_MS: Type.Integer({
    default: 15_000,
    minimum: 500,
    maximum: 600_000,
    description:
      "An event that Kafka hasn't confirmed for this long is taken back into the journal, with all behind it. Longer than socket.timeout.ms, so that a broken connection is mended first.",
  }),
  JOURNAL_ENABLED: Type.Boolean({
    default: true,
    description:
      "Keep a journal. Without one `durable` is refused, and what Kafka doesn't take in time is lost.",
  }),
  JOURNAL_DIR: Type.String({
    default: "out/journal",
    minLength: 1,
    description:
      "Folder of the journal, each worker in a folder of its own below. A disk that outlives the process.",
  }),
  JOURNAL_MAX_BYTES: Type.Integer({
    default: 1024 * MIB,
    minimum: MIB,
    description: "Bytes on disk beyond which events are refused (503), for each worker.",
  }),
  JOURNAL_MAX_AGE_MS: Type.Integer({
    default: DAY_MS,
    minimum: 1_000,
    description:
      "When the oldest event waits for longer than this, new ones are refused (503). Nothing is dropped.",
  }),
  JOURNAL_SEGMENT_BYTES: Type.Integer({
    default: 8 * MIB,
    minimum: 64 * 1024,
    maximum: 1024 * MIB,
    description:
      "Size of the journal's files: the step in which room is given back, and what a read takes in memory.",
  }),
  JOURNAL_FSYNC_INTERVAL_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000,
    description:
      "How long `durable` events are collected before one fsync serves them all; 0: while the fsync before it runs.",
  }),
};

export type DeliverySettings = Static<TObject<typeof deliverySettings>>;

/** With the client's settings that delivery's promises rest on. */
export type DurabilitySettings = DeliverySettings &
  Pick<
    ProducerSettings,
    | "KAFKA_MESSAGE_TIMEOUT_MS"
    | "KAFKA_ACKS"
    | "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION"
    | "KAFKA_LINGER_MS"
    | "KAFKA_SOCKET_TIMEOUT_MS"
    | "KAFKA_STATISTICS_INTERVAL_MS"
  >;

/** What the client says of its brokers must not be older. */
const MAX_STATISTICS_INTERVAL_MS = 10_000;

/**
 * Contradictions: settings under which an answer would promise what can't be kept.
 * - The client must have given up on an event by the time its caller is told that the deadline has passed: else it
 *   could be sent first long after, when the caller has acted on the answer.
 * - Events must be taken back as a whole before the client gives up on single ones: a later event of the same key could
 *   overtake one that timed out.
 * - They must not be taken back while nothing is wrong yet: while they linger, or while a broken connection is noticed.
 * - That Kafka is back is learnt from the client's statistics.
 */
export function checkDeliverySettings(settings: DurabilitySettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const wrong = (name: keyof DurabilitySettings, message: string) =>
    problems.push({ name, value: String(settings[name]), message });
  const { KAFKA_MESSAGE_TIMEOUT_MS: timeout, STORED_DEADLINE_MS: deadline } = settings;
  if (timeout > deadline)
    wrong(
      "KAFKA_MESSAGE_TIMEOUT_MS",
      `must not be more than STORED_DEADLINE_MS (${deadline}): an event would be sent on after its caller was told the deadline passed`,
    );
  if (settings.JOURNAL_ENABLED && settings.DELIVERY_STALL_MS >= timeout)
    wrong(
      "DELIVERY_STALL_MS",
      `must be less than KAFKA_MESSAGE_TIMEOUT_MS (${timeout}): events of one key could overtake each other`,
    );
  if (settings.KAFKA_ACKS !== "all" && Number(settings.KAFKA_ACKS) !== -1)
    wrong("KAFKA_ACKS", "must be all: `stored` promises that every in-sync replica has the event");
  if (settings.KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION > 1)
    wrong(
      "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION",
      "must be 1: behind a request that a new leader refuses, the next could be stored first, and events of one key overtake each other",
    );
  for (const name of ["KAFKA_LINGER_MS", "KAFKA_SOCKET_TIMEOUT_MS"] as const)
    if (settings[name] >= settings.DELIVERY_STALL_MS)
      wrong(
        name,
        `must be less than DELIVERY_STALL_MS (${settings.DELIVERY_STALL_MS}): the client would be given up before`,
      );
  const statisticsMs = settings.KAFKA_STATISTICS_INTERVAL_MS;
  if (statisticsMs === 0 || statisticsMs > MAX_STATISTICS_INTERVAL_MS)
    wrong(
      "KAFKA_STATISTICS_INTERVAL_MS",
      `must be from 1 to ${MAX_STATISTICS_INTERVAL_MS}: they tell that a broker can be reached again`,
    );
  if (settings.JOURNAL_SEGMENT_BYTES * 2 > settings.JOURNAL_MAX_BYTES)
    wrong(
      "JOURNAL_SEGMENT_BYTES",
      `must not be more than half of JOURNAL_MAX_BYTES (${settings.JOURNAL_MAX_BYTES}): room comes back a file at a time`,
    );
  return problems;
}
