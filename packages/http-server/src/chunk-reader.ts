// Reads a chunked body piece by piece as it arrives (RFC 9112, section 7.1).
import { isFieldLine } from "./field-line.ts";

/** The bytes are not a chunked body. */
export class ChunkError extends Error {
  override name = "ChunkError";
}

const CR = 0x0d;
const LF = 0x0a;
/** The line before a chunk, and each line of the trailer section. */
const MAX_LINE_BYTES = 1024;
/** Limit for the extensions of all chunks of a body together. */
const MAX_EXTENSION_BYTES = 8 * 1024;
const MAX_TRAILER_BYTES = 8 * 1024;

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+";
const QUOTED_STRING = String.raw`"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"`;
const VALUE = `(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED_STRING}))?`;
/** The size, and the extensions, which have no meaning here (sections 7.1 and 7.1.1). */
const SIZE_LINE = new RegExp(`^([\\da-fA-F]{1,12})((?:[\\t ]*;[\\t ]*${TOKEN}${VALUE})*)$`);

/** Such a line whose end has not come. */
const SIZE_LINE_BEGINNING = /^[\da-fA-F]{1,12}(?:[\t ;\r]|$)/;
/** Fields for framing and routing, which a trailer section must not contain (RFC 9110, section 6.5.1). */
const NOT_IN_TRAILER = /^(?:content-length|transfer-encoding|host)$/i;

export class ChunkReader {
  isDone = false;
  #line = "";
  /** Bytes of the current chunk that are still to come. */
  #remaining = 0;
  #expects: "size" | "data" | "end of data" | "trailer" = "size";
  #extensionBytes = 0;
  #trailerBytes = 0;

  /**
   * Reads from `at` on.
   * @param onData called with each piece of the body: the bytes from `from` to `to`
   * @returns where it stopped: at the end of `bytes`, or after the body when `isDone`
   * @throws ChunkError
   */
  read(bytes: Buffer, at: number, onData: (from: number, to: number) => void): number {
    let position = at;
    while (position < bytes.length && !this.isDone) {
      if (this.#expects === "data") {
        const end = Math.min(bytes.length, position + this.#remaining);
        onData(position, end);
        this.#remaining -= end - position;
        position = end;
        if (this.#remaining === 0) this.#expects = "end of data";
      } else position = this.#readLine(bytes, position);
    }
    return position;
  }

  #readLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline;
    if (this.#line.length + end - at > MAX_LINE_BYTES) throw new ChunkError("a line of a chunk is too long");
    this.#line += bytes.toString("latin1", at, end);
    if (newline < 0) {
      this.#checkBeginning(this.#line);
      return end;
    }
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR)
      throw new ChunkError("a line does not end with CR LF");
    const line = this.#line.slice(0, -1);
    this.#line = "";
    this.#parseLine(line);
    return newline + 1;
  }

  /** Rejects a line at the byte that makes it invalid, rather than when its end comes, which may be never. */
  #checkBeginning(line: string): void {
    if (this.#expects === "size" && !SIZE_LINE_BEGINNING.test(line)) throw noValidSize();
    if (this.#expects === "end of data" && line !== "\r") throw longerThanSize();
  }

  #parseLine(line: string): void {
    switch (this.#expects) {
      case "size": {
        const [, size, extensions = ""] = SIZE_LINE.exec(line) ?? [];
        if (size === undefined) throw noValidSize();
        this.#extensionBytes += extensions.length;
        if (this.#extensionBytes > MAX_EXTENSION_BYTES)
          throw new ChunkError("the extensions of the chunks are too large");
        this.#remaining = Number.parseInt(size, 16);
        this.#expects = this.#remaining === 0 ? "trailer" : "data";
        return;
      }
      case "end of data":
        if (line !== "") throw longerThanSize();
        this.#expects = "size";
        return;
      default:
        this.isDone = line === "";
        if (this.isDone) return;
        this.#trailerBytes += line.length;
        if (this.#trailerBytes > MAX_TRAILER_BYTES) throw new ChunkError("the trailer section is too large");
        if (!isFieldLine(line) || NOT_IN_TRAILER.test(line.slice(0, line.indexOf(":"))))
          throw new ChunkError("a line of the trailer section is not a field that may be there");
    }
  }
}

function noValidSize(): ChunkError {
  return new ChunkError("a chunk has no valid size, or an invalid extension");
}

function longerThanSize(): ChunkError {
  return new ChunkError("a chunk is longer than its size");
}
