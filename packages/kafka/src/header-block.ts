// A record's headers as one block of bytes: as the outbox takes them and as the producer's journal keeps them. The journal
// outlives a process, so the layout must not change.
//
// For each header, little-endian:  name length u32 · value length u32 (0xffffffff: null) · name · value

import type { NewHeaders, RecordHeaders } from "./records.ts";

const LENGTHS_BYTES = 8;
const NULL_VALUE = 0xffffffff;

/** The size of the block. */
export function headerBlockBytes(headers: NewHeaders): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += LENGTHS_BYTES + Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

/** Writes the block into `target` at `start`. @returns where it ends */
export function writeHeaderBlock(target: Buffer, start: number, headers: NewHeaders): number {
  let at = start;
  for (const [name, value] of headers) {
    const nameStart = at + LENGTHS_BYTES;
    const valueStart = nameStart + target.write(name, nameStart, "utf8");
    const size = valueBytes(value);
    target.writeUInt32LE(valueStart - nameStart, at);
    target.writeUInt32LE(value === null ? NULL_VALUE : size, at + 4);
    if (typeof value === "string") target.write(value, valueStart, "utf8");
    else if (value !== null) target.set(value, valueStart);
    at = valueStart + size;
  }
  return at;
}

/** The block as bytes of its own. */
export function toHeaderBlock(headers: NewHeaders): Buffer {
  const block = Buffer.allocUnsafe(headerBlockBytes(headers));
  writeHeaderBlock(block, 0, headers);
  return block;
}

/** The headers of a block. Values are views of it. */
export function readHeaderBlock(block: Buffer): RecordHeaders {
  const headers: [string, Buffer | null][] = [];
  for (let at = 0; at < block.length; ) {
    const nameStart = at + LENGTHS_BYTES;
    const valueStart = nameStart + block.readUInt32LE(at);
    const size = block.readUInt32LE(at + 4);
    const end = valueStart + (size === NULL_VALUE ? 0 : size);
    const name = block.toString("utf8", nameStart, valueStart);
    headers.push([name, size === NULL_VALUE ? null : block.subarray(valueStart, end)]);
    at = end;
  }
  return headers;
}

function valueBytes(value: string | Uint8Array | null): number {
  if (value === null) return 0;
  return typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
}
