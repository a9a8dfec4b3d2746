// Answers as they go over the wire.
import { STATUS_CODES } from "node:http";
import type { LightResponse, ResponseHead } from "../response.ts";

const CLOSE = "Connection: close\r\n";
/** What is about the message on its way, and so this server's. */
const OWN_FIELDS = new Set(["connection", "content-length", "date", "transfer-encoding"]);

/** What comes before a body's length, for each kind of answer; made anew when the second of its Date is over. */
const beginnings = new Map<ResponseHead, string>();
let date = "";

/** To be called about once a second. */
export function setDate(now: Date): void {
  const text = now.toUTCString();
  if (text === date) return;
  date = text;
  beginnings.clear();
}
setDate(new Date());

function beginningOf(head: ResponseHead): string {
  let beginning = beginnings.get(head);
  if (beginning === undefined) {
    beginning = begin(head.status, head.lines);
    beginnings.set(head, beginning);
  }
  return beginning;
}

function begin(status: number, lines: string): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines}Date: ${date}\r\n`;
}

/**
 * An answer's bytes; text when they are all ASCII.
 * @param isHead the answer to HEAD, which has a length and no body
 */
export function toWire(
  { head, body, bytes }: LightResponse,
  closes: boolean,
  isHead: boolean,
): string | Buffer {
  const text = `${beginningOf(head)}${closes ? CLOSE : ""}Content-Length: ${bytes}\r\n\r\n${isHead ? "" : body}`;
  if (isHead) return text;
  return bytes === body.length ? text : Buffer.from(text);
}

/** The same for a Response, its body read whole. */
export async function responseToWire(response: Response, closes: boolean, isHead: boolean): Promise<Buffer> {
  const { status, headers } = response;
  if (isHead) await response.body?.cancel();
  const body = isHead ? new Uint8Array() : await response.bytes();
  let lines = closes ? CLOSE : "";
  const hasBody = status >= 200 && status !== 204 && status !== 304;
  for (const [name, value] of headers) {
    if (OWN_FIELDS.has(name)) continue;
    lines += `${name}: ${value}\r\n`;
  }
  const length = isHead ? headers.get("content-length") : String(body.length);
  if (hasBody && length !== null) lines += `Content-Length: ${length}\r\n`;
  return Buffer.concat([Buffer.from(`${begin(status, lines)}\r\n`, "latin1"), body]);
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
