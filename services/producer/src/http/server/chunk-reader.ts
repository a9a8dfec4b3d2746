// A body in chunks (RFC 9112, section 7.1), read as it comes.

/** The body isn't in chunks. */
export class ChunkError extends Error {
  override name = "ChunkError";
}

const CR = 0x0d;
const LF = 0x0a;
/** A chunk's first line, and the lines after the last chunk. */
const MAX_LINE_BYTES = 1024;
const MAX_TRAILER_BYTES = 8 * 1024;
const SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

export class ChunkReader {
  isDone = false;
  #line = "";
  /** Bytes of the chunk that are still to come. */
  #left = 0;
  #expects: "size" | "data" | "end of data" | "trailer" = "size";
  #trailerBytes = 0;

  /**
   * Reads from `at` on.
   * @param onData called with each piece of the body: the bytes from `from` to `to`
   * @returns where it stopped: at the end of `bytes`, or behind the body when `isDone`
   * @throws ChunkError
   */
  read(bytes: Buffer, at: number, onData: (from: number, to: number) => void): number {
    let position = at;
    while (position < bytes.length && !this.isDone) {
      if (this.#expects === "data") {
        const end = Math.min(bytes.length, position + this.#left);
        onData(position, end);
        this.#left -= end - position;
        position = end;
        if (this.#left === 0) this.#expects = "end of data";
      } else position = this.#readLine(bytes, position);
    }
    return position;
  }

  #readLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline;
    if (this.#line.length + end - at > MAX_LINE_BYTES) throw new ChunkError("a line of a chunk is too long");
    this.#line += bytes.toString("latin1", at, end);
    if (newline < 0) return end;
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR)
      throw new ChunkError("a line doesn't end with CR LF");
    const line = this.#line.slice(0, -1);
    this.#line = "";
    this.#take(line);
    return newline + 1;
  }

  #take(line: string): void {
    switch (this.#expects) {
      case "size": {
        const size = SIZE.exec(line);
        if (size === null) throw new ChunkError("a chunk has no size");
        this.#left = Number.parseInt(size[1]!, 16);
        this.#expects = this.#left === 0 ? "trailer" : "data";
        return;
      }
      case "end of data":
        if (line !== "") throw new ChunkError("a chunk has another length than it says");
        this.#expects = "size";
        return;
      default:
        this.#trailerBytes += line.length;
        if (this.#trailerBytes > MAX_TRAILER_BYTES)
          throw new ChunkError("too much comes after the last chunk");
        this.isDone = line === "";
    }
  }
}
