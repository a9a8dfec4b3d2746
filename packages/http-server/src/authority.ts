// The authority of a request: `uri-host [ ":" port ]` (RFC 9110, sections 4.2 and 7.2; RFC 3986, section 3.2).
import { isIPv6 } from "node:net";

const AUTHORITY = /^(?:\[([^\]]*)\]|([\w.~!$&'()*+,;=-]*(?:%[\da-f]{2}[\w.~!$&'()*+,;=-]*)*))(?::(\d*))?$/i;
/** An IP literal of a version to come. */
const IP_FUTURE = /^v[\da-f]+\.[\w.~!$&'()*+,;=:-]+$/i;
const MAX_PORT = 65_535;

/** An empty host is no authority: a URI of HTTP with one is invalid. User information is none of HTTP's either. */
export function isAuthority(text: string): boolean {
  const match = AUTHORITY.exec(text);
  if (match === null) return false;
  const [, literal, name, port = ""] = match;
  if (literal !== undefined && !isIPv6(literal) && !IP_FUTURE.test(literal)) return false;
  // isIPv6 takes a zone, which names an interface of the client.
  if (literal?.includes("%") || name === "") return false;
  return Number(port) <= MAX_PORT;
}

/** The value of a Host field: an authority, or nothing when the client's URI has none (RFC 9112, section 3.2). */
export function isHost(text: string): boolean {
  return text === "" || isAuthority(text);
}
