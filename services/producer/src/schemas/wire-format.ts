// Confluent's wire format: before the value a zero byte, and the schema's id, big-endian
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
import { WIRE_PREFIX_BYTES } from "@ingest/contract";

export function withWirePrefix(registryId: number, value: string | Buffer): Buffer {
  const length = Buffer.byteLength(value);
  const prefixed = Buffer.allocUnsafe(WIRE_PREFIX_BYTES + length);
  prefixed[0] = 0;
  prefixed.writeUInt32BE(registryId, 1);
  if (typeof value === "string") prefixed.write(value, WIRE_PREFIX_BYTES);
  else value.copy(prefixed, WIRE_PREFIX_BYTES);
  return prefixed;
}
