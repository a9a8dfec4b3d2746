// The head of a request (RFC 9112, sections 2 to 6): read strictly, for what two programs read differently is how one
// request is smuggled past the other as a part of the body.
import type { ProblemCode } from "@ingest/contract";
import { Rejection } from "../../rejection.ts";

/** How long a body is: known, or told by its chunks. */
export type BodyLength = number | "chunked";

/** A head that was read. One object may serve many requests: a client's heads are nearly always the same text. */
export class RequestHead {
  /** What a handler has made of this head, so that it need not be made again. */
  derived: unknown;
  /** As a URL of the Fetch standard. Whom the client took this server for (Host) is of no interest here. */
  readonly url: string;
  readonly path: string;

  constructor(
    readonly method: string,
    /** From its first slash on, query included. */
    readonly target: string,
    /** Lower-case names; values of repeated fields are joined by commas. */
    readonly fields: ReadonlyMap<string, string>,
    readonly bodyLength: BodyLength,
    readonly keepsAlive: boolean,
    readonly expectsContinue: boolean,
  ) {
    this.url = `http://localhost${target}`;
    this.path = target.split("?", 1)[0]!;
  }

  /** @param name in lower case */
  get(name: string): string | null {
    return this.fields.get(name) ?? null;
  }
}

const MAX_FIELDS = 100;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\S+) HTTP\/(\d)\.(\d)$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Anything but visible characters, spaces, tabs, text beyond ASCII, and CR LF together. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff\r\n]|\r(?!\n)|(?<!\r)\n/;
/** No fragment and no backslash, which a URL would take for something else. */
const TARGET = /^\/[!"$-[\]-~]*$/;
/** Would be resolved on the way to a route. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** @param text the head in Latin-1, without the empty line behind it */
export function readHead(text: string): RequestHead | Rejection {
  if (FORBIDDEN.test(text)) return bad("it holds a control character, or a line that doesn't end with CR LF");
  const [first = "", ...lines] = text.split("\r\n");
  const request = REQUEST_LINE.exec(first);
  if (request === null) return bad("its first line is not that of an HTTP/1.1 request");
  const [, method = "", sent = "", major, minor] = request;
  if (major !== "1") return refused("version_not_supported", "HTTP/1.1 is spoken here.");
  const isOld = minor === "0";
  const target = toTarget(method, sent);
  if (target === undefined) return bad("its target is not a path");
  if (lines.length > MAX_FIELDS)
    return refused("head_too_large", `The head has more than ${MAX_FIELDS} fields.`);

  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // Also refuses a line that goes on the one before (obs-fold), and white space before the colon.
    if (!NAME.test(name)) return bad("a line of it is not `name: value`");
    const value = withoutBlanks(line, colon + 1);
    const key = name.toLowerCase();
    const before = fields.get(key);
    if (before !== undefined && (key === "content-length" || key === "host" || key === "transfer-encoding"))
      return bad(`it has more than one ${key}`);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }

  if (!isOld && !fields.has("host")) return bad("it has no Host");
  const bodyLength = toBodyLength(fields, isOld);
  if (bodyLength instanceof Rejection) return bodyLength;
  const expect = fields.get("expect")?.toLowerCase();
  if (expect !== undefined && expect !== "100-continue")
    return refused("expectation_failed", `Expect "${expect.slice(0, 64)}" can't be met.`);
  const connection = (fields.get("connection") ?? "").toLowerCase().split(/[ \t,]+/);
  // HTTP/1.0 would want to be told that the connection stays.
  const keepsAlive = !isOld && !connection.includes("close");
  return new RequestHead(method, target, fields, bodyLength, keepsAlive, expect !== undefined && !isOld);
}

/** Only spaces and tabs are blanks here: others (U+00A0) are a part of the value to whoever else reads this. */
function withoutBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A path, also out of an absolute address as proxies send it; `OPTIONS *` is about no path. */
function toTarget(method: string, sent: string): string | undefined {
  if (TARGET.test(sent)) return DOT_SEGMENT.test(sent) ? undefined : sent;
  if (sent === "*" && method === "OPTIONS") return "/";
  const absolute = /^https?:\/\/[^/?#\s]+(.*)$/i.exec(sent);
  if (absolute === null) return undefined;
  const rest = absolute[1]!;
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  return TARGET.test(path) && !DOT_SEGMENT.test(path) ? path : undefined;
}

function toBodyLength(fields: ReadonlyMap<string, string>, isOld: boolean): BodyLength | Rejection {
  const length = fields.get("content-length");
  const coding = fields.get("transfer-encoding");
  if (coding !== undefined) {
    if (length !== undefined) return bad("it has both Content-Length and Transfer-Encoding");
    if (isOld) return bad("Transfer-Encoding came with HTTP/1.1");
    return coding.toLowerCase() === "chunked"
      ? "chunked"
      : refused("not_implemented", "Of transfer encodings only chunked is taken.");
  }
  if (length === undefined) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : bad("its Content-Length is no length");
}

function bad(what: string): Rejection {
  return refused("not_http", `The request can't be read: ${what}.`);
}

/** Where this request ends is not known, so nothing more can be read from its connection. */
function refused(code: ProblemCode, detail: string): Rejection {
  return new Rejection(code, detail, { closes: true });
}
