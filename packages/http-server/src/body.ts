// The bytes of a request body.
import { isUtf8 } from "node:buffer";

/** Node's and Bun's Buffer has this method, its types do not: it skips the lookup of the encoding. */
type Utf8Buffer = Buffer & { utf8Slice(start: number, end: number): string };

const REPLACEMENT = "\ufffd";

/** A range of a buffer, which may hold other bytes of the connection around it. */
export class Body {
  static readonly EMPTY = new Body(Buffer.alloc(0), 0, 0);
  /** In place of bytes that a handler has taken. */
  static readonly TAKEN = new Body(Buffer.alloc(0), 0, 0);

  constructor(
    readonly bytes: Buffer,
    readonly start: number,
    readonly end: number,
  ) {}

  /** All bytes of a buffer. */
  static of(bytes: Buffer): Body {
    return new Body(bytes, 0, bytes.length);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** A view; nothing is copied. */
  toBuffer(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The text, with its byte order mark if there is one; undefined when the bytes are not UTF-8. */
  toText(): string | undefined {
    const text = (this.bytes as Utf8Buffer).utf8Slice(this.start, this.end);
    // As many code units as bytes and no replacement: the text is ASCII, and no second look is needed.
    if (text.length === this.length && !text.includes(REPLACEMENT)) return text;
    return isUtf8(this.toBuffer()) ? text : undefined;
  }
}
