// Who is the client? Behind proxies the connection's address is the last proxy's, and what it forwards names the others.
import { BlockList, isIP } from "node:net";
import type { RequestHead } from "@ingest/http-server";

/** Names for the networks that proxies of one's own are usually in. */
const SHORTHANDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  // RFC 1918 and RFC 4193.
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

/** No address. */
const MALFORMED = "";

interface Subnet {
  address: string;
  prefix: number;
  family: "ipv4" | "ipv6";
}

/** Whose `X-Forwarded-For` and `Forwarded` are believed. */
export class TrustedProxies {
  /** Fields of trusted proxies that were ignored: malformed, or without an IP address. */
  ignoredFields = 0;
  readonly #networks = new BlockList();

  /** @param entries each one valid by `isTrustedProxiesEntry` */
  constructor(entries: readonly string[]) {
    for (const entry of entries)
      for (const { address, prefix, family } of toSubnets(entry) ?? [])
        this.#networks.addSubnet(address, prefix, family);
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#networks.check(address, family === 4 ? "ipv4" : "ipv6");
  }

  /**
   * The address nearest to this service that no trusted proxy has: what is further left is the client's own word.
   * @param peer the other end of the connection
   */
  clientOf(peer: string, head: Pick<RequestHead, "get"> | undefined): string {
    if (head === undefined || !this.has(peer)) return peer;
    // Proxies that know X-Forwarded-For alone pass on a Forwarded that the client made up.
    const hops = toHops(head) ?? [MALFORMED];
    let client = peer;
    for (const hop of hops.reverse()) {
      const address = toAddress(hop);
      if (address === undefined) {
        this.ignoredFields++;
        return peer;
      }
      client = address;
      if (!this.has(address)) break;
    }
    return client;
  }
}

/** Is it an address, a network in CIDR notation, `loopback` or `private`? */
export function isTrustedProxiesEntry(entry: string): boolean {
  return toSubnets(entry) !== undefined;
}

function toSubnets(entry: string): Subnet[] | undefined {
  const subnets = (SHORTHANDS[entry] ?? [entry]).map(toSubnet);
  return subnets.includes(undefined) ? undefined : (subnets as Subnet[]);
}

function toSubnet(text: string): Subnet | undefined {
  const [address = "", prefix, ...more] = text.split("/");
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)))
    return undefined;
  const length = prefix === undefined ? bits : Number(prefix);
  return length > bits ? undefined : { address, prefix: length, family: version === 4 ? "ipv4" : "ipv6" };
}

/** What the proxies on the way forwarded for, the client first; undefined when the field is malformed. */
function toHops(head: Pick<RequestHead, "get">): string[] | undefined {
  const list = head.get("x-forwarded-for");
  if (list !== null) return list.split(",").map((hop) => hop.trim());
  const forwarded = head.get("forwarded");
  return forwarded === null ? [] : parseForwarded(forwarded);
}

/** A parameter, its value quoted or not, and the separator behind it (RFC 7239, section 4); either may be missing. */
const PARAMETER =
  /[\t ]*(?:([!#$%&'*+.^_`|~\w-]+)[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^\t ",;]+))[\t ]*)?([,;]|$)/y;

/**
 * The `for` of each element; empty where it has none. All of the field or nothing: a client could open a quote in its own
 * part, so that the element of the proxy behind it counts as quoted.
 */
function parseForwarded(field: string): string[] | undefined {
  const hops: string[] = [];
  let hop: string | undefined;
  PARAMETER.lastIndex = 0;
  for (;;) {
    const match = PARAMETER.exec(field);
    if (match === null) return undefined;
    const [, name, quoted, plain, separator] = match;
    if (name?.toLowerCase() === "for") {
      if (hop !== undefined) return undefined;
      hop = plain ?? quoted!.replace(/\\(.)/g, "$1");
    }
    if (separator === ";") continue;
    hops.push(hop ?? "");
    if (separator === "") return hops;
    hop = undefined;
  }
}

/** The address of `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`. */
function toAddress(hop: string): string | undefined {
  if (isIP(hop) !== 0) return hop;
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  return plain !== undefined && isIP(plain) === 4 ? plain : undefined;
}
