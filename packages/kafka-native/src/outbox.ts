// The addon's outbox: many records into librdkafka by one call, outcomes in bulk. outbox/outbox.h describes it.
import type { Producer } from "@confluentinc/kafka-javascript";
import { nativeAddon } from "./addon.ts";

export interface NativeOutbox {
  /** Once the producer has connected: the topic that `produce` sends to. */
  open(topic: string): void;
  /** @returns how many records weren't taken; `spans` then has each record's error */
  produce(slab: Buffer, spans: Buffer, count: number): number;
  /**
   * One record with a topic, partition, time or headers of its own.
   * @param partition -1 for the partitioner's choice
   * @param timestampMs Unix ms, 0 for now
   * @param headers name, content, name, content …
   * @returns librdkafka's error code, 0 when it was taken
   */
  produceOne(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    token: number,
    headers?: (string | Uint8Array)[],
  ): number;
  /** @returns how many outcomes of `OUTCOME_BYTES` were written; fewer than fit: there are no more */
  takeOutcomes(into: Buffer): number;
  /** Before the producer disconnects. What is queued fails; its outcomes are there once it has disconnected. */
  close(): void;
}

/** uint32 token, int32 error, int32 partition, four bytes of nothing, float64 offset. */
export const OUTCOME_BYTES = 24;

/**
 * Makes the outbox of a producer that hasn't connected yet and has no delivery report callback.
 * @param onOutcomes called on the event loop when there are outcomes to take and there were none before
 * @throws AddonUnavailableError
 */
export function createOutbox(producer: Producer, onOutcomes: () => void): NativeOutbox {
  return new (nativeAddon().Outbox)(producer.getClient(), onOutcomes);
}
