// Parses a request line (RFC 9112, section 3), also one whose end has not come: what can't become a request line any more
// is refused at once, and with the same rejection as if all of it had come together.
import { isAuthority } from "./authority.ts";
import { badRequest, type HttpRejection, refused } from "./rejection.ts";

const MAX_METHOD_LENGTH = 32;
/** RFC 9112, section 3, wants at least 8,000 bytes for the whole line. */
const MAX_TARGET_BYTES = 8 * 1024;

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const VISIBLE = /^[!-~]*$/;
const VERSION = /^HTTP\/\d\.\d$/;
/** Completes what has come of a version. */
const SOME_VERSION = "HTTP/1.1";
/** Without `#` and backslash, which a URL parser would give another meaning. */
const PATH = /^\/[!"$-[\]-~]*$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
/** A URL parser would resolve it to another path. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

export interface RequestLine {
  readonly method: string;
  /** From its first slash on, query included; or `*`, the server as a whole, for OPTIONS. */
  readonly target: string;
  /** Of a target in absolute form, as proxies send it: it counts instead of the Host field (section 3.2.2). */
  readonly authority: string | undefined;
  readonly isHttp10: boolean;
}

/** @param line complete, without its CR LF */
export function parseRequestLine(line: string): RequestLine | HttpRejection {
  const rejection = checkRequestLine(line);
  if (rejection !== undefined) return rejection;
  const [method = "", sent = "", version = ""] = line.split(" ");
  if (!VERSION.test(version)) return badRequest("the first line is not a request line of HTTP/1.1");
  if (version[5] !== "1") return refused("version_not_supported", "This server supports HTTP/1.1.");
  // RFC 9110, section 9.1: a method that is not implemented for any target.
  if (method === "CONNECT") return refused("not_implemented", "This server is no proxy: it has no CONNECT.");
  const isHttp10 = version[7] === "0";
  if (isPath(sent)) return { method, target: sent, authority: undefined, isHttp10 };
  if (sent === "*" && method === "OPTIONS") return { method, target: sent, authority: undefined, isHttp10 };
  const [, authority = "", rest = ""] = ABSOLUTE.exec(sent) ?? [];
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  return isAuthority(authority) && isPath(target)
    ? { method, target, authority, isHttp10 }
    : badRequest("the request target is not a path");
}

/** @param line its beginning, as far as it has come. @returns why it can't become a request line any more */
export function checkRequestLine(line: string): HttpRejection | undefined {
  const methodEnd = line.indexOf(" ");
  const method = methodEnd < 0 ? line : line.slice(0, methodEnd);
  if (methodEnd === 0 || (method !== "" && !TOKEN.test(method.slice(0, MAX_METHOD_LENGTH + 1))))
    return badRequest("the first line does not begin with a method");
  if (method.length > MAX_METHOD_LENGTH)
    return refused("not_implemented", `No method has more than ${MAX_METHOD_LENGTH} characters.`);
  if (methodEnd < 0) return undefined;

  const targetEnd = line.indexOf(" ", methodEnd + 1);
  const target = line.slice(methodEnd + 1, targetEnd < 0 ? line.length : targetEnd);
  if (targetEnd === methodEnd + 1 || !VISIBLE.test(target.slice(0, MAX_TARGET_BYTES + 1)))
    return badRequest("the request target is not a path");
  if (target.length > MAX_TARGET_BYTES)
    return refused("uri_too_long", `The request target has more than ${MAX_TARGET_BYTES} bytes.`);
  if (targetEnd < 0) return undefined;

  const version = line.slice(targetEnd + 1);
  return VERSION.test(version + SOME_VERSION.slice(version.length))
    ? undefined
    : badRequest("the first line is not a request line of HTTP/1.1");
}

function isPath(target: string): boolean {
  return PATH.test(target) && !DOT_SEGMENT.test(target);
}
