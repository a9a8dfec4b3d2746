// Finds the head of a request in the bytes of a connection.
import { HeadCache } from "./head-cache.ts";
import { HttpRejection } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";

const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");
const BARE_HEAD_END = Buffer.from("\n\n");
const CR = 0x0d;
const LF = 0x0a;

type Latin1Buffer = Buffer & { latin1Slice(start: number, end: number): string };

/** One serves all connections: nothing is remembered between two reads but heads by their text. */
export class HeadReader {
  readonly #cache = new HeadCache();
  /** After `read`: where the body begins, or where an incomplete head does. */
  end = 0;

  /** @returns the head that begins at `start`; undefined while its end has not come */
  read(bytes: Buffer, start: number): RequestHead | HttpRejection | undefined {
    let at = start;
    // RFC 9112, section 2.2: an empty line before a request is ignored.
    if (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
    const end = bytes.indexOf(HEAD_END, at);
    if (end < 0 || end - at > MAX_HEAD_BYTES) {
      this.end = at;
      return checkIncomplete(bytes, at, end);
    }
    this.end = end + HEAD_END.length;
    return this.#cache.parse((bytes as Latin1Buffer).latin1Slice(at, end));
  }
}

/** Rejects what can't become a head any more. */
function checkIncomplete(bytes: Buffer, at: number, end: number): HttpRejection | undefined {
  if (end >= 0 || bytes.length - at > MAX_HEAD_BYTES)
    return new HttpRejection("head_too_large", `The head has more than ${MAX_HEAD_BYTES} bytes.`, true);
  if (bytes.includes(BARE_HEAD_END, at))
    return new HttpRejection("not_http", "Lines of a head end with CR LF.", true);
  return undefined;
}
