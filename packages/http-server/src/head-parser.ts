// Parses the head of a request (RFC 9112, sections 2 to 6), strictly: where two programs on the way parse a request
// differently, a second request can be smuggled past one of them in the body of the first.
import { HttpRejection, type HttpRejectionCode } from "./rejection.ts";
import { type BodyLength, RequestHead } from "./request-head.ts";

const MAX_FIELDS = 100;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\S+) HTTP\/(\d)\.(\d)$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Control characters other than tab, and CR or LF alone. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff\r\n]|\r(?!\n)|(?<!\r)\n/;
/** Without `#` and backslash, which a URL parser would give another meaning. */
const TARGET = /^\/[!"$-[\]-~]*$/;
/** A URL parser would resolve it to another path. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** @param text the head in Latin-1, without the empty line that ends it */
export function parseHead(text: string): RequestHead | HttpRejection {
  if (FORBIDDEN.test(text))
    return bad("the head contains a control character, or a line that does not end with CR LF");
  const [first = "", ...lines] = text.split("\r\n");
  const request = REQUEST_LINE.exec(first);
  if (request === null) return bad("the first line is not a request line of HTTP/1.1");
  const [, method = "", sent = "", major, minor] = request;
  if (major !== "1") return refused("version_not_supported", "This server supports HTTP/1.1.");
  const isOld = minor === "0";
  const target = toTarget(method, sent);
  if (target === undefined) return bad("the request target is not a path");
  if (lines.length > MAX_FIELDS)
    return refused("head_too_large", `The head has more than ${MAX_FIELDS} fields.`);

  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // Also refuses a folded line (obs-fold) and white space before the colon.
    if (!NAME.test(name)) return bad("a field line is not `name: value`");
    const value = trimBlanks(line, colon + 1);
    const key = name.toLowerCase();
    const before = fields.get(key);
    if (before !== undefined && (key === "content-length" || key === "host" || key === "transfer-encoding"))
      return bad(`there is more than one ${key} field`);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }

  if (!isOld && !fields.has("host")) return bad("there is no Host field");
  const bodyLength = toBodyLength(fields, isOld);
  if (bodyLength instanceof HttpRejection) return bodyLength;
  const expect = fields.get("expect")?.toLowerCase();
  if (expect !== undefined && expect !== "100-continue")
    return refused(
      "expectation_failed",
      `Expect "${expect.slice(0, 64)}" is not supported: only 100-continue is.`,
    );
  const connection = (fields.get("connection") ?? "").toLowerCase().split(/[ \t,]+/);
  // An HTTP/1.0 client keeps a connection only when the response says so.
  const keepAlive = !isOld && !connection.includes("close");
  return new RequestHead(method, target, fields, bodyLength, keepAlive, expect !== undefined && !isOld);
}

/** Strips spaces and tabs only: to every other HTTP parser, U+00A0 is part of the value. */
function trimBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The path, also of the absolute form that proxies send; `OPTIONS *` counts as the root. */
function toTarget(method: string, sent: string): string | undefined {
  if (TARGET.test(sent)) return DOT_SEGMENT.test(sent) ? undefined : sent;
  if (sent === "*" && method === "OPTIONS") return "/";
  const absolute = /^https?:\/\/[^/?#\s]+(.*)$/i.exec(sent);
  if (absolute === null) return undefined;
  const rest = absolute[1]!;
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  return TARGET.test(path) && !DOT_SEGMENT.test(path) ? path : undefined;
}

function toBodyLength(fields: ReadonlyMap<string, string>, isOld: boolean): BodyLength | HttpRejection {
  const length = fields.get("content-length");
  const coding = fields.get("transfer-encoding");
  if (coding !== undefined) {
    if (length !== undefined) return bad("there are both Content-Length and Transfer-Encoding");
    if (isOld) return bad("HTTP/1.0 has no Transfer-Encoding");
    return coding.toLowerCase() === "chunked"
      ? "chunked"
      : refused("not_implemented", "The only supported transfer encoding is chunked.");
  }
  if (length === undefined) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : bad("Content-Length is not a number");
}

function bad(what: string): HttpRejection {
  return refused("not_http", `The request can't be read: ${what}.`);
}

function refused(code: HttpRejectionCode, detail: string): HttpRejection {
  return new HttpRejection(code, detail, true);
}
