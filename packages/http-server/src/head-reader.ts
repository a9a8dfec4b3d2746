// Finds the head of a request in the bytes of a connection.
import { HeadCache } from "./head-cache.ts";
import { checkHead } from "./head-parser.ts";
import { type HttpRejection, refused } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";

const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");
const HEAD_METHOD = Buffer.from("HEAD ");
const CR = 0x0d;
const LF = 0x0a;

type Latin1Buffer = Buffer & { latin1Slice(start: number, end: number): string };

/** One serves all connections: nothing is remembered between two reads but heads by their text. */
export class HeadReader {
  readonly #cache = new HeadCache();
  /** After `read`: where the request line begins. */
  start = 0;
  /** After `read`: where the body begins, or where an incomplete head does. */
  end = 0;

  /**
   * @param checkedBytes of the head that begins at `from`: so many were there at the read before
   * @returns the head that begins at `from`; undefined while its end has not come
   */
  read(bytes: Buffer, from: number, checkedBytes: number): RequestHead | HttpRejection | undefined {
    let at = from;
    // RFC 9112, section 2.2: empty lines before a request are ignored.
    while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
    this.start = at;
    const end = bytes.indexOf(HEAD_END, at);
    if (end < 0 || end - at > MAX_HEAD_BYTES) {
      this.end = at;
      return checkIncomplete(bytes as Latin1Buffer, at, checkedBytes);
    }
    this.end = end + HEAD_END.length;
    return this.#cache.parse((bytes as Latin1Buffer).latin1Slice(at, end));
  }
}

/** A head has begun at `at`: more than the CR of an empty line has come. */
export function hasHeadBegun(bytes: Buffer, at: number): boolean {
  return at < bytes.length && !(at + 1 === bytes.length && bytes[at] === CR);
}

/** The request that begins at `at` has the method HEAD, so that no response to it has a body. */
export function hasHeadMethod(bytes: Buffer, at: number): boolean {
  return bytes.subarray(at, at + HEAD_METHOD.length).equals(HEAD_METHOD);
}

/** Rejects what can't become a head any more. */
function checkIncomplete(bytes: Latin1Buffer, at: number, checkedBytes: number): HttpRejection | undefined {
  if (!hasHeadBegun(bytes, at)) return undefined;
  const rejection = checkHead(
    bytes.latin1Slice(at, Math.min(bytes.length, at + MAX_HEAD_BYTES)),
    checkedBytes,
  );
  if (rejection !== undefined) return rejection;
  // The end of the largest head may be cut.
  return bytes.length - at >= MAX_HEAD_BYTES + HEAD_END.length
    ? refused("head_too_large", `The head has more than ${MAX_HEAD_BYTES} bytes.`)
    : undefined;
}
