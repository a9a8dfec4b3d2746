// Records written end to end into one buffer that enters librdkafka by one call.
import type { NativeOutbox } from "@ingest/kafka-native";
import { headerBlockBytes, writeHeaderBlock } from "./header-block.ts";
import type { NewHeaders } from "./records.ts";

/** Size of the buffer: a turn of the event loop seldom has more. */
const SLAB_BYTES = 256 * 1024;
const SLAB_RECORDS = 1024;
/** uint32s a record: topic, key length, value length, headers length, token, error. outbox/outbox.h has the layout. */
const SPAN_WORDS = 6;
const NO_KEY = 0xffffffff;
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Node's and Bun's Buffer has this undocumented method, which skips `write`'s check of the encoding. */
type Utf8Buffer = Buffer & { utf8Write(text: string, offset: number): number };

export class RecordSlab {
  readonly #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES) as Utf8Buffer;
  readonly #spans = new Uint32Array(SPAN_WORDS * SLAB_RECORDS);
  readonly #spanBytes = Buffer.from(this.#spans.buffer);
  #used = 0;
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Is there room for the record now? One that an empty slab has no room for must be produced by itself. */
  fits(
    key: string | Uint8Array | null,
    value: string | Uint8Array,
    headers: NewHeaders | undefined,
  ): boolean {
    const bytes = mostBytes(key) + mostBytes(value) + (headers === undefined ? 0 : headerBlockBytes(headers));
    return this.#count < SLAB_RECORDS && this.#used + bytes <= SLAB_BYTES;
  }

  /**
   * Adds a record that fits.
   * @param topic from the outbox's `open`
   * @returns the bytes of its key, value and headers
   */
  add(
    topic: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array,
    headers: NewHeaders | undefined,
    token: number,
  ): number {
    const start = this.#used;
    const at = SPAN_WORDS * this.#count++;
    this.#spans[at] = topic;
    this.#spans[at + 1] = key === null ? NO_KEY : this.#write(key);
    this.#spans[at + 2] = this.#write(value);
    this.#spans[at + 3] = headers === undefined ? 0 : this.#writeHeaders(headers);
    this.#spans[at + 4] = token;
    return this.#used - start;
  }

  #writeHeaders(headers: NewHeaders): number {
    const start = this.#used;
    this.#used = writeHeaderBlock(this.#bytes, start, headers);
    return this.#used - start;
  }

  #write(content: string | Uint8Array): number {
    let size: number;
    if (typeof content === "string") size = this.#bytes.utf8Write(content, this.#used);
    else {
      this.#bytes.set(content, this.#used);
      size = content.byteLength;
    }
    this.#used += size;
    return size;
  }

  /** Removes the record added last; `size` is what `add` returned. */
  removeLast(size: number): void {
    this.#count--;
    this.#used -= size;
  }

  /**
   * Hands over all records.
   * @param onRefused called for each record that librdkafka rejected, with its error code
   */
  handOver(outbox: NativeOutbox, onRefused: (token: number, code: number) => void): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    this.#used = 0;
    if (outbox.produce(this.#bytes, this.#spanBytes, count) === 0) return;
    // Copied first: the callback may add records.
    const spans = this.#spans.slice(0, SPAN_WORDS * count);
    for (let at = 0; at < spans.length; at += SPAN_WORDS) {
      const code = spans[at + 5]! | 0;
      if (code !== 0) onRefused(spans[at + 4]!, code);
    }
  }
}

function mostBytes(content: string | Uint8Array | null): number {
  if (content === null) return 0;
  return typeof content === "string" ? content.length * MAX_BYTES_PER_UNIT : content.byteLength;
}
