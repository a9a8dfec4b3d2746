// Turns responses into the bytes that are sent.
import { STATUS_CODES } from "node:http";
import type { RequestHead } from "./request-head.ts";
import type { LightResponse, ResponseHead } from "./response.ts";

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export const CLOSE = "Connection: close\r\n";
const KEEP_ALIVE = "Connection: keep-alive\r\n";

/** What the response says about its connection: nothing where it stays, except to HTTP/1.0 (RFC 9112, section 9.3). */
export function toConnectionLine(keepAlive: boolean, { isHttp10 }: RequestHead): string {
  if (!keepAlive) return CLOSE;
  return isHttp10 ? KEEP_ALIVE : "";
}

/** Fields about the message's transfer, which the server sets itself; lower-case names. Handlers must not set them. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "transfer-encoding",
]);

export class ResponseEncoder {
  #date = "";
  /** Everything before the fields that differ between responses of one head; renewed with each second's Date. */
  readonly #prefixes = new Map<ResponseHead, string>();

  constructor(now: Date) {
    this.setDate(now);
  }

  /** To be called about once a second. */
  setDate(now: Date): void {
    const text = now.toUTCString();
    if (text === this.#date) return;
    this.#date = text;
    this.#prefixes.clear();
  }

  /**
   * @param connectionLine of `toConnectionLine`
   * @param isHead the response to HEAD, which has a Content-Length and no body
   * @returns text when every byte is ASCII
   */
  encode(response: LightResponse, connectionLine: string, isHead: boolean): string | Buffer {
    const { head, body, bytes, lines } = response;
    const text = `${this.#prefixOf(head)}${lines}${connectionLine}Content-Length: ${bytes}\r\n\r\n${isHead ? "" : body}`;
    return isHead || bytes === body.length ? text : Buffer.from(text);
  }

  /**
   * Encodes a Fetch `Response` without its body.
   * @param lines the fields about the transfer, which are the server's
   */
  encodeFetchHead({ status, headers }: Response, lines: string): Buffer {
    let all = lines;
    for (const [name, value] of headers) {
      if (!OWN_FIELDS.has(name)) all += `${name}: ${value}\r\n`;
    }
    return Buffer.from(`${this.#toPrefix(status, all)}\r\n`, "latin1");
  }

  #prefixOf(head: ResponseHead): string {
    let prefix = this.#prefixes.get(head);
    if (prefix === undefined) {
      prefix = this.#toPrefix(head.status, head.lines);
      this.#prefixes.set(head, prefix);
    }
    return prefix;
  }

  #toPrefix(status: number, lines: string): string {
    return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines}Date: ${this.#date}\r\n`;
  }
}
