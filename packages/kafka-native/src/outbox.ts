// The addon's outbox: it passes many records to librdkafka by one call and returns outcomes in bulk (outbox/outbox.h).
import type { Producer } from "@confluentinc/kafka-javascript";
import { type NativeOutbox, nativeAddon } from "./addon.ts";

/** uint32 token, int32 error, int32 partition, four unused bytes, float64 offset. */
export const OUTCOME_BYTES = 24;

/**
 * Creates the outbox of a producer that hasn't connected yet and has no delivery report callback.
 * @param onOutcomes called on the event loop when there are outcomes to take and there were none before
 * @throws AddonUnavailableError
 */
export function createOutbox(producer: Producer, onOutcomes: () => void): NativeOutbox {
  return new (nativeAddon().Outbox)(producer.getClient(), onOutcomes);
}
