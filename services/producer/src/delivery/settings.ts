// Settings of delivery, and the combinations that would break a durability level.

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
    description:
      "How long a request for `durable` or `stored` waits for confirmation before the response is 504.",
  }),
  DELIVERY_STALL_MS: Type.Integer({
    default: 15_000,
    minimum: 500,
    maximum: 600_000,
    description:
      "When Kafka has not confirmed the oldest event for this long, all events in flight are reclaimed into the journal and the Kafka client is recreated. Must be longer than socket.timeout.ms, so that a broken connection is replaced first.",
  }),
  JOURNAL_ENABLED: Type.Boolean({
    default: true,
    description:
      "Keep a journal. Without one, `durable` is refused, and events that Kafka doesn't take in time are lost.",
  }),
  JOURNAL_DIR: Type.String({
    default: "out/journal",
    minLength: 1,
    description:
      "Folder of the journal, with a subfolder for each worker. Put it on a disk that outlives the process or container.",
  }),
  JOURNAL_MAX_BYTES: Type.Integer({
    default: 1024 * MIB,
    minimum: MIB,
    description:
      "Maximum size of the journal, for each worker. At that size, events that need it are refused (503).",
  }),
  JOURNAL_MAX_AGE_MS: Type.Integer({
    default: DAY_MS,
    minimum: 1_000,
    description:
      "Maximum age of the oldest event in the journal. Beyond it, new events are refused (503); none is dropped.",
  }),
  JOURNAL_SEGMENT_BYTES: Type.Integer({
    default: 8 * MIB,
    minimum: 64 * 1024,
    maximum: 1024 * MIB,
    description:
      "Size of the journal's segment files. Disk space is freed one file at a time, and replay reads one file into memory.",
  }),
  JOURNAL_FSYNC_INTERVAL_MS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000,
    description:
      "How long `durable` events are collected for one fsync. 0: only while the previous fsync runs.",
  }),
};

export type DeliverySettings = Static<TObject<typeof deliverySettings>>;

/** With the settings of the Kafka client that durability depends on. */
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

/** The connection state is read from the client's statistics, which must be recent. */
const MAX_STATISTICS_INTERVAL_MS = 10_000;

/**
 * Finds contradictions: settings under which a response could claim a durability that the event doesn't have.
 * - The client must give up an event before its caller's deadline: otherwise it could still be sent long after the
 *   caller has acted on the 504.
 * - All events in flight must be reclaimed together before the client gives up single ones: otherwise a later event of
 *   the same key could overtake one that timed out.
 * - Events must not be reclaimed while they linger, or before the client has detected a broken connection.
 * - The client's statistics report that a broker is connected again.
 */
export function checkDeliverySettings(settings: DurabilitySettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const addProblem = (name: keyof DurabilitySettings, message: string) =>
    problems.push({ name, value: String(settings[name]), message });
  const { KAFKA_MESSAGE_TIMEOUT_MS: timeout, STORED_DEADLINE_MS: deadline } = settings;
  if (timeout > deadline)
    addProblem(
      "KAFKA_MESSAGE_TIMEOUT_MS",
      `must not be more than STORED_DEADLINE_MS (${deadline}): an event could still be sent after its caller got the 504`,
    );
  if (settings.JOURNAL_ENABLED && settings.DELIVERY_STALL_MS >= timeout)
    addProblem(
      "DELIVERY_STALL_MS",
      `must be less than KAFKA_MESSAGE_TIMEOUT_MS (${timeout}): events of one key could overtake each other`,
    );
  if (settings.KAFKA_ACKS !== "all" && Number(settings.KAFKA_ACKS) !== -1)
    addProblem("KAFKA_ACKS", "must be all: `stored` means that every in-sync replica has the event");
  if (settings.KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION > 1)
    addProblem(
      "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION",
      "must be 1: when a new leader rejects a request, the next one could be stored before its retry, and events of one key would change order",
    );
  for (const name of ["KAFKA_LINGER_MS", "KAFKA_SOCKET_TIMEOUT_MS"] as const)
    if (settings[name] >= settings.DELIVERY_STALL_MS)
      addProblem(
        name,
        `must be less than DELIVERY_STALL_MS (${settings.DELIVERY_STALL_MS}): the client would be recreated before that`,
      );
  const statisticsMs = settings.KAFKA_STATISTICS_INTERVAL_MS;
  if (statisticsMs === 0 || statisticsMs > MAX_STATISTICS_INTERVAL_MS)
    addProblem(
      "KAFKA_STATISTICS_INTERVAL_MS",
      `must be from 1 to ${MAX_STATISTICS_INTERVAL_MS}: they report that a broker is connected again`,
    );
  if (settings.JOURNAL_SEGMENT_BYTES * 2 > settings.JOURNAL_MAX_BYTES)
    addProblem(
      "JOURNAL_SEGMENT_BYTES",
      `must not be more than half of JOURNAL_MAX_BYTES (${settings.JOURNAL_MAX_BYTES}): disk space is freed one file at a time`,
    );
  return problems;
}
