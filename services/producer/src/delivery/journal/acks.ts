// Which records of a segment Kafka has acknowledged: one bit each, and the file format of the set.

import { crc32 } from "node:zlib";

const MAGIC = 0x4b434149; // "IACK"
const HEADER_BYTES = 12;

/** A set of ordinals, dense from 0. */
export class Acks {
  #bits = new Uint8Array(64);
  #count = 0;
  #lowest = 0;

  /** Size of the set. */
  get count(): number {
    return this.#count;
  }

  /** The lowest ordinal that isn't in the set. */
  get lowestMissing(): number {
    while (this.has(this.#lowest)) this.#lowest++;
    return this.#lowest;
  }

  has(ordinal: number): boolean {
    return ((this.#bits[ordinal >> 3] ?? 0) & (1 << (ordinal & 7))) !== 0;
  }

  /** @returns false when it was in the set already */
  add(ordinal: number): boolean {
    const index = ordinal >> 3;
    if (index >= this.#bits.length) this.#grow(index);
    const mask = 1 << (ordinal & 7);
    if ((this.#bits[index]! & mask) !== 0) return false;
    this.#bits[index]! |= mask;
    this.#count++;
    return true;
  }

  /** Removes ordinals from `end` on: their acknowledgements were saved, the records themselves were not. */
  truncate(end: number): void {
    for (let ordinal = end; ordinal < this.#bits.length * 8; ordinal++) {
      if (!this.has(ordinal)) continue;
      this.#bits[ordinal >> 3]! &= ~(1 << (ordinal & 7));
      this.#count--;
    }
  }

  /** Layout: magic u32 · checksum u32 (CRC-32 of all that follows) · number of bytes u32 · bits. */
  encode(): Buffer {
    const used = this.#usedBytes();
    const file = Buffer.alloc(HEADER_BYTES + used);
    file.writeUInt32LE(MAGIC, 0);
    file.writeUInt32LE(used, 8);
    file.set(this.#bits.subarray(0, used), HEADER_BYTES);
    file.writeUInt32LE(crc32(file.subarray(8)), 4);
    return file;
  }

  /** Reads what `encode` wrote. Damaged bytes give an empty set: records are then sent again, never skipped. */
  static decode(file: Buffer): Acks {
    const acks = new Acks();
    if (file.length < HEADER_BYTES || file.readUInt32LE(0) !== MAGIC) return acks;
    if (file.readUInt32LE(8) !== file.length - HEADER_BYTES) return acks;
    if (crc32(file.subarray(8)) !== file.readUInt32LE(4)) return acks;
    acks.#bits = Uint8Array.from(file.subarray(HEADER_BYTES));
    for (let byte of acks.#bits) for (; byte !== 0; byte &= byte - 1) acks.#count++;
    return acks;
  }

  #usedBytes(): number {
    let used = this.#bits.length;
    while (used > 0 && this.#bits[used - 1] === 0) used--;
    return used;
  }

  #grow(index: number): void {
    const bits = new Uint8Array(Math.max(this.#bits.length * 2, index + 1));
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
