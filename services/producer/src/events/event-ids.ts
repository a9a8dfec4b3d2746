// Ids of the events of a request with an `Idempotency-Key`: the same request gets the same ids, whichever process takes it
// and whenever, because they are computed, and nothing is remembered.
import type { EventIds } from "../formats/index.ts";

/**
 * The id of an event is a UUIDv8 (RFC 9562, section 5.8) of SHA-256 over the caller, the key, the event's place in the body
 * and its bytes. With its bytes, an event that is sent under a key of another batch by mistake gets an id of its own:
 * a consumer that drops duplicates does not drop it.
 * @param caller the id of the caller, whose keys are apart from those of others; empty when callers are anonymous
 */
export function createEventIds(caller: string, key: string): EventIds {
  const prefix = new Bun.CryptoHasher("sha256").update(JSON.stringify([caller, key]));
  return {
    idOf(index, event) {
      const hash = prefix.copy().update(`${index}:`).update(event).digest();
      return toUuid(hash);
    },
  };
}

function toUuid(hash: Buffer): string {
  hash[6] = (hash[6]! & 0x0f) | 0x80;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex", 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
