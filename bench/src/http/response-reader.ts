// Parses HTTP/1.1 responses from a byte stream (RFC 9112), one at a time: by Content-Length, chunked, or until close.

/** The bytes are not one valid response. */
export class MalformedResponseError extends Error {
  override name = "MalformedResponseError";
}

/** Larger heads and bodies are rejected, not buffered. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 256 * 1024 * 1024;

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const CRLF = Buffer.from("\r\n");

type Framing = { mode: "length"; length: number } | { mode: "chunked" } | { mode: "until-close" };
interface Head {
  status: number;
  keepAlive: boolean;
  framing: Framing;
}

export class ResponseReader {
  /** Of the response that `push` or `end` has completed. */
  status = 0;
  body = "";
  /** Can the connection be reused? */
  keepAlive = true;

  #head: Head | undefined;
  #buffered: Buffer | undefined;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #trailers = false;
  /** A server's heads differ only in their Date, once a second: the last parsed head nearly always fits the next. */
  #lastHeadText = "";
  #lastHead: Head | undefined;

  /**
   * Reads the next bytes.
   * @returns true when a response is complete, in `status`, `body` and `keepAlive`
   * @throws MalformedResponseError; the connection must then be closed
   */
  push(chunk: Buffer): boolean {
    let bytes = chunk;
    if (this.#buffered !== undefined) {
      bytes = Buffer.concat([this.#buffered, chunk]);
      this.#buffered = undefined;
    }
    while (this.#head === undefined) {
      const end = bytes.indexOf(END_OF_HEAD);
      if (end > MAX_HEAD_BYTES || (end < 0 && bytes.length > MAX_HEAD_BYTES)) {
        throw new MalformedResponseError("a head of more than 64 KiB");
      }
      if (end < 0) {
        this.#buffered = bytes;
        return false;
      }
      const text = bytes.toString("latin1", 0, end);
      const head = text === this.#lastHeadText ? this.#lastHead! : this.#parse(text);
      const bodyStart = end + END_OF_HEAD.length;
      // Nearly always the whole response arrives in one chunk: nothing is sliced, buffered or concatenated then.
      if (
        head.framing.mode === "length" &&
        bodyStart + head.framing.length === bytes.length &&
        head.status >= 200
      ) {
        return this.#finish(head, bytes.toString("utf8", bodyStart));
      }
      bytes = bytes.subarray(bodyStart);
      // An interim response (1xx): the final one follows.
      if (head.status >= 200) this.#head = head;
    }
    const { framing } = this.#head;
    switch (framing.mode) {
      case "length":
        return this.#pushLength(bytes, framing.length);
      case "chunked":
        return this.#pushChunked(bytes);
      default:
        this.#append(bytes);
        return false;
    }
  }

  /** The server closed the connection. @returns true when that completes a response without a length */
  end(): boolean {
    return this.#head?.framing.mode === "until-close" && this.#finishParts();
  }

  #pushLength(bytes: Buffer, length: number): boolean {
    if (this.#partBytes + bytes.length > length)
      throw new MalformedResponseError("a body longer than its Content-Length");
    this.#append(bytes);
    return this.#partBytes === length && this.#finishParts();
  }

  #pushChunked(bytes: Buffer): boolean {
    let at = 0;
    for (;;) {
      const lineEnd = bytes.indexOf(CRLF, at);
      if (lineEnd < 0) break;
      const line = bytes.toString("latin1", at, lineEnd);
      if (this.#trailers) {
        at = lineEnd + 2;
        if (line !== "") continue;
        if (at !== bytes.length) throw new MalformedResponseError("bytes after the last chunk");
        return this.#finishParts();
      }
      const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line);
      if (size === null) throw new MalformedResponseError("a chunk without a size");
      const length = Number.parseInt(size[1]!, 16);
      if (length === 0) {
        this.#trailers = true;
        at = lineEnd + 2;
        continue;
      }
      const chunkEnd = lineEnd + 2 + length;
      if (bytes.length < chunkEnd + 2) break;
      if (bytes[chunkEnd] !== 13 || bytes[chunkEnd + 1] !== 10) {
        throw new MalformedResponseError("a chunk that does not end where its size says");
      }
      this.#append(bytes.subarray(lineEnd + 2, chunkEnd));
      at = chunkEnd + 2;
    }
    this.#buffered = bytes.subarray(at);
    if (this.#buffered.length > MAX_BODY_BYTES)
      throw new MalformedResponseError("a chunk of more than 256 MiB");
    return false;
  }

  #append(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    if (this.#partBytes > MAX_BODY_BYTES) throw new MalformedResponseError("a body of more than 256 MiB");
  }

  #finishParts(): true {
    const head = this.#head!;
    const body = Buffer.concat(this.#parts).toString();
    this.#head = undefined;
    this.#parts = [];
    this.#partBytes = 0;
    this.#trailers = false;
    return this.#finish(head, body);
  }

  #finish(head: Head, body: string): true {
    this.status = head.status;
    this.keepAlive = head.keepAlive && head.framing.mode !== "until-close";
    this.body = body;
    return true;
  }

  #parse(text: string): Head {
    const head = parseHead(text);
    this.#lastHeadText = text;
    this.#lastHead = head;
    return head;
  }
}

/** Parses the status line and the three headers that delimit a response (RFC 9112, 6.3). */
function parseHead(text: string): Head {
  const lines = text.split("\r\n");
  const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/.exec(lines[0]!);
  if (statusLine === null) throw new MalformedResponseError("no HTTP/1.1 status line");
  const status = Number(statusLine[2]);
  let keepAlive = statusLine[1] === "1";
  let length: number | undefined;
  let chunked = false;
  for (const line of lines.slice(1)) {
    const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (header === null) throw new MalformedResponseError("a header line without a name");
    const value = header[2]!;
    switch (header[1]!.toLowerCase()) {
      case "content-length":
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== Number(value))) {
          throw new MalformedResponseError("an invalid Content-Length");
        }
        length = Number(value);
        break;
      case "transfer-encoding":
        if (value.toLowerCase() !== "chunked")
          throw new MalformedResponseError("an unknown Transfer-Encoding");
        chunked = true;
        break;
      case "connection":
        if (/\bclose\b/i.test(value)) keepAlive = false;
        else if (/\bkeep-alive\b/i.test(value)) keepAlive = true;
    }
  }
  if (chunked && length !== undefined) {
    throw new MalformedResponseError("both Content-Length and Transfer-Encoding");
  }
  if (status < 200 || status === 204 || status === 304) {
    return { status, keepAlive, framing: { mode: "length", length: 0 } };
  }
  if (chunked) return { status, keepAlive, framing: { mode: "chunked" } };
  if (length === undefined) return { status, keepAlive, framing: { mode: "until-close" } };
  if (length > MAX_BODY_BYTES) throw new MalformedResponseError("a body of more than 256 MiB");
  return { status, keepAlive, framing: { mode: "length", length } };
}
