// Kafka's binary protocol, as far as this package's requests need it: https://kafka.apache.org/protocol
import { loopback } from "./probe.ts";

export interface KafkaRequest {
  apiKey: number;
  version: number;
  /** Since this version the API has compact types and tagged fields, in its header too (KIP-482). */
  isFlexible: boolean;
  body: RequestWriter;
}

const CLIENT_ID = "probe";
const CORRELATION_ID = 1;

/** Builds a request, one field behind another. */
export class RequestWriter {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#add(1, (part) => part.writeInt8(value));
  }
  int16(value: number): this {
    return this.#add(2, (part) => part.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.#add(4, (part) => part.writeInt32BE(value));
  }
  string(value: string): this {
    this.int16(Buffer.byteLength(value));
    this.#parts.push(Buffer.from(value));
    return this;
  }
  compactString(value: string): this {
    this.#length(Buffer.byteLength(value));
    this.#parts.push(Buffer.from(value));
    return this;
  }
  compactArray<T>(items: readonly T[], write: (item: T, writer: this) => void): this {
    this.#length(items.length);
    for (const item of items) write(item, this);
    return this;
  }
  /** No tagged fields. */
  noTags(): this {
    return this.int8(0);
  }
  toBuffer(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Compact lengths are unsigned varints of the length plus one. */
  #length(length: number): void {
    let rest = length + 1;
    for (; rest > 0x7f; rest >>>= 7) this.#parts.push(Buffer.from([(rest & 0x7f) | 0x80]));
    this.#parts.push(Buffer.from([rest]));
  }

  #add(bytes: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(bytes);
    write(part);
    this.#parts.push(part);
    return this;
  }
}

/** Reads a response, one field behind another. */
export class ResponseReader {
  #at = 0;

  constructor(readonly bytes: Buffer) {}

  int8(): number {
    return this.bytes.readInt8(this.#skip(1));
  }
  int16(): number {
    return this.bytes.readInt16BE(this.#skip(2));
  }
  int32(): number {
    return this.bytes.readInt32BE(this.#skip(4));
  }
  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#text(length);
  }
  array<T>(read: (reader: this) => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, () => read(this));
  }
  compactString(): string | null {
    const length = this.#varint() - 1;
    return length < 0 ? null : this.#text(length);
  }
  compactArray<T>(read: (reader: this) => T): T[] {
    return Array.from({ length: Math.max(0, this.#varint() - 1) }, () => read(this));
  }
  skipTags(): void {
    for (let count = this.#varint(); count > 0; count--) {
      this.#varint();
      this.#skip(this.#varint());
    }
  }

  #text(length: number): string {
    const start = this.#skip(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.#skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** @returns the offset before the skipped bytes */
  #skip(bytes: number): number {
    this.#at += bytes;
    return this.#at - bytes;
  }
}

/** Sends one request on a connection of its own. @returns the response's body; undefined when there is none in time */
export async function sendRequest(
  port: number,
  request: KafkaRequest,
  timeoutMs: number,
): Promise<ResponseReader | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  let received = Buffer.alloc(0);
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  const socket = Bun.connect({
    hostname: loopback,
    port,
    socket: {
      open: (opened) => void opened.write(toFrame(request)),
      data: (_, chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) resolve(received);
      },
      close: () => resolve(undefined),
      error: () => resolve(undefined),
    },
  });
  socket.catch(() => resolve(undefined));
  const frame = await promise;
  clearTimeout(timer);
  socket.then(
    (opened) => opened.end(),
    () => {},
  );
  if (frame === undefined) return undefined;
  const reader = new ResponseReader(frame.subarray(8)); // after the size and the correlation id
  if (request.isFlexible) reader.skipTags();
  return reader;
}

function toFrame({ apiKey, version, isFlexible, body }: KafkaRequest): Buffer {
  const head = new RequestWriter().int16(apiKey).int16(version).int32(CORRELATION_ID).string(CLIENT_ID);
  if (isFlexible) head.noTags();
  const content = Buffer.concat([head.toBuffer(), body.toBuffer()]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
}
