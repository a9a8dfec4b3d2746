// Parses the head of a request (RFC 9112, sections 2 to 6), strictly: where two programs on the way parse a request
// differently, a second request can be smuggled past one of them in the body of the first.
import { isHost } from "./authority.ts";
import { isFieldName, trimBlanks } from "./field-line.ts";
import { badRequest, HttpRejection, invalidHost, refused } from "./rejection.ts";
import { type BodyLength, RequestHead } from "./request-head.ts";
import { checkRequestLine, parseRequestLine } from "./request-line.ts";

const MAX_FIELDS = 100;
/** Control characters other than tab, and CR or LF alone. Without lookbehind, which JavaScriptCore does not compile. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff\r\n]|\r(?!\n)|[^\r]\n|^\n/;
/** Fields that tell where a request ends or whom it is for: two of them may be read differently. */
const SINGLE = new Set(["content-length", "host", "transfer-encoding"]);

/** @param text the head in Latin-1, without the empty line that ends it */
export function parseHead(text: string): RequestHead | HttpRejection {
  const [first = "", ...lines] = text.split("\r\n");
  const request = parseRequestLine(first);
  if (request instanceof HttpRejection) return request;
  if (FORBIDDEN.test(text)) return forbidden();
  if (lines.length > MAX_FIELDS)
    return refused("head_too_large", `The head has more than ${MAX_FIELDS} fields.`);

  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // Also refuses a folded line (obs-fold) and white space before the colon.
    if (!isFieldName(name)) return badRequest("a field line is not `name: value`");
    const value = trimBlanks(line, colon + 1);
    const key = name.toLowerCase();
    const before = fields.get(key);
    if (before !== undefined && SINGLE.has(key)) return badRequest(`there is more than one ${key} field`);
    // RFC 9113, section 8.2.3: a proxy may have split the cookies of an HTTP/2 request.
    const separator = key === "cookie" ? "; " : ", ";
    fields.set(key, before === undefined ? value : before + separator + value);
  }

  const { method, target, authority, isHttp10 } = request;
  const host = fields.get("host");
  if (host === undefined ? !isHttp10 : !isHost(host))
    return host === undefined ? badRequest("there is no Host field") : invalidHost();
  if (authority !== undefined) fields.set("host", authority);
  const bodyLength = toBodyLength(fields, isHttp10);
  if (bodyLength instanceof HttpRejection) return bodyLength;
  const expect = fields.get("expect")?.toLowerCase();
  if (expect !== undefined && expect !== "100-continue")
    return refused(
      "expectation_failed",
      `Expect "${expect.slice(0, 64)}" is not supported: only 100-continue is.`,
    );
  const keepAlive = keepsAlive(fields.get("connection"), isHttp10);
  const expectsContinue = expect !== undefined && !isHttp10;
  return new RequestHead(method, target, fields, bodyLength, keepAlive, expectsContinue, isHttp10);
}

/**
 * @param text the beginning of a head, as far as it has come
 * @param checkedLength of that, so much has been checked before: a head that comes byte by byte costs no more than its bytes
 * @returns why it can't become a head any more: the same rejection as if all of it had come together
 */
export function checkHead(text: string, checkedLength: number): HttpRejection | undefined {
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd < 0) return checkRequestLine(text.endsWith("\r") ? text.slice(0, -1) : text);
  const request = parseRequestLine(text.slice(0, lineEnd));
  if (request instanceof HttpRejection) return request;
  // From the last checked character on, which may be the CR of a line's end. Its LF alone is none.
  const last = Math.max(checkedLength - 1, 0);
  const unchecked = text.slice(text[last] === "\n" ? last + 1 : last, text.endsWith("\r") ? -1 : undefined);
  return FORBIDDEN.test(unchecked) ? forbidden() : undefined;
}

/** RFC 9112, section 9.3. */
function keepsAlive(connection: string | undefined, isHttp10: boolean): boolean {
  if (connection === undefined) return !isHttp10;
  // Split by a regular expression with blanks, a value of blanks takes quadratic time.
  const options = connection
    .toLowerCase()
    .split(",")
    .map((option) => trimBlanks(option, 0));
  return !options.includes("close") && (!isHttp10 || options.includes("keep-alive"));
}

function toBodyLength(fields: ReadonlyMap<string, string>, isHttp10: boolean): BodyLength | HttpRejection {
  const length = fields.get("content-length");
  const coding = fields.get("transfer-encoding");
  if (coding !== undefined) {
    if (length !== undefined) return badRequest("there are both Content-Length and Transfer-Encoding");
    if (isHttp10) return badRequest("HTTP/1.0 has no Transfer-Encoding");
    return coding.toLowerCase() === "chunked"
      ? "chunked"
      : refused("not_implemented", "The only supported transfer encoding is chunked.");
  }
  if (length === undefined) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : badRequest("Content-Length is not a number");
}

function forbidden(): HttpRejection {
  return badRequest("the head contains a control character, or a line that does not end with CR LF");
}
