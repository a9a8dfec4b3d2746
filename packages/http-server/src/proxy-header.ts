// The header with which a proxy begins a connection to report its client: PROXY protocol, versions 1 and 2
// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
import { isIPv4, isIPv6 } from "node:net";
import { HttpRejection } from "./rejection.ts";

const V1_PREFIX = Buffer.from("PROXY ");
/** Of a line of version 1 with its CR LF (section 2.1). */
const MAX_V1_BYTES = 107;
const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Signature, version and command, family, length. */
const V2_FIXED_BYTES = 16;
/** The protocol allows 64 KiB for addresses and additional fields (TLVs). No proxy sends nearly as much. */
const MAX_V2_BYTES = 4 * 1024;
const LOCAL = 0;
const PROXY = 1;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const ADDRESS_CHECKS: Readonly<Record<string, (text: string) => boolean>> = { TCP4: isIPv4, TCP6: isIPv6 };

/** @param address the client's; undefined when the proxy speaks for itself, or its client has no IP address */
export interface ProxyHeader {
  readonly address: string | undefined;
  /** Of the header, bytes. */
  readonly length: number;
}

/** @returns undefined while the end of the header has not come */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | HttpRejection | undefined {
  if (beginsWith(bytes, V1_PREFIX)) return parseV1(bytes);
  if (beginsWith(bytes, V2_SIGNATURE)) return parseV2(bytes);
  return invalid("it is missing");
}

/** As far as there are bytes. */
function beginsWith(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader | HttpRejection | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf("\r\n");
  if (end === -1)
    return bytes.length < MAX_V1_BYTES ? undefined : invalid(`its line exceeds ${MAX_V1_BYTES} bytes`);
  const length = end + 2;
  const [, protocol = "", source = "", destination = "", ...ports] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  // What follows UNKNOWN is to be ignored.
  if (protocol === "UNKNOWN") return { address: undefined, length };
  const isAddress = ADDRESS_CHECKS[protocol];
  if (isAddress === undefined) return invalid("its protocol is none of TCP4, TCP6 and UNKNOWN");
  const isValid = isAddress(source) && isAddress(destination) && ports.length === 2 && ports.every(isPort);
  return isValid ? { address: source, length } : invalid("its addresses or ports are malformed");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseV2(bytes: Buffer): ProxyHeader | HttpRejection | undefined {
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const version = bytes[12]! >> 4;
  const command = bytes[12]! & 0xf;
  if (version !== 2 || command > PROXY) return invalid("its version or command is unknown");
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_V2_BYTES) return invalid(`it exceeds ${MAX_V2_BYTES} bytes`);
  if (bytes.length < length) return undefined;
  if (command === LOCAL) return { address: undefined, length };
  const family = bytes[13]! >> 4;
  const addresses = bytes.subarray(V2_FIXED_BYTES, length);
  // Source and destination address, then two ports; after them TLVs, which are skipped.
  if (family === FAMILY_IPV4)
    return addresses.length < 12
      ? invalid("its addresses are incomplete")
      : { address: addresses.subarray(0, 4).join("."), length };
  if (family === FAMILY_IPV6)
    return addresses.length < 36
      ? invalid("its addresses are incomplete")
      : { address: toIPv6(addresses.subarray(0, 16)), length };
  return { address: undefined, length };
}

function toIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  // A URL's host has the shortest form (RFC 5952).
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function invalid(what: string): HttpRejection {
  return new HttpRejection(
    "not_http",
    `A connection of this proxy begins with a header of the PROXY protocol: ${what}.`,
    true,
  );
}

/** Reads the header of one connection. */
export class ProxyHeaderReader {
  #held = Buffer.alloc(0);

  /** @returns the header, and the bytes after it; undefined while its end has not come */
  read(chunk: Buffer): { header: ProxyHeader; rest: Buffer } | HttpRejection | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const header = parseProxyHeader(bytes);
    if (header instanceof HttpRejection) return header;
    if (header !== undefined) return { header, rest: bytes.subarray(header.length) };
    // A copy of its own: the chunk may be part of a larger buffer. The parser bounds how much that is.
    this.#held = Buffer.from(bytes);
    return undefined;
  }
}
