// Pages in browsers: which origins may send events, and read the responses (the Fetch standard, section 3.3).
import type { RequestHead } from "@ingest/http-server";
import { Rejection } from "../rejection.ts";

/** As long as Chromium remembers a preflight at most, s. */
const PREFLIGHT_MAX_AGE_SECONDS = 7_200;
const ALLOWED_METHODS = "POST";
const ALLOWED_HEADERS =
  "Authorization, Content-Encoding, Content-Type, Idempotency-Key, Prefer, X-API-Key, X-Request-Id";
const EXPOSED_HEADERS =
  "Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";

type Fields = readonly (readonly [name: string, value: string])[];
type Head = Pick<RequestHead, "get" | "method">;

/** Origins that change, where CALLERS_FILE names some. */
export interface OriginSource {
  readonly origins: AllowedOrigins;
}

/** A list of origins: that of CORS_ALLOWED_ORIGINS, or of a caller. */
export class AllowedOrigins {
  readonly #isAny: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #subdomains: readonly { prefix: string; suffix: string }[];

  /** @param patterns each one valid by `isOriginPattern` */
  constructor(readonly patterns: readonly string[]) {
    this.#isAny = patterns.includes("*");
    this.#exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
    this.#subdomains = patterns
      .filter((pattern) => pattern.includes("*."))
      .map((pattern) => {
        const [prefix = "", suffix = ""] = withScheme(pattern).split("*");
        return { prefix, suffix };
      });
  }

  /** Was the request sent by a page of an allowed origin? */
  includes(head: Head): boolean {
    const origin = head.get("origin");
    return origin !== null && this.#has(origin);
  }

  /** Field lines of the response: the page may read it, or send the request that it asks about. Each with its CR LF. */
  linesFor(head: Head): string {
    return this.#fieldsFor(head)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }

  #fieldsFor(head: Head): Fields {
    if (this.patterns.length === 0) return [];
    // Caches may not serve one origin's response to another.
    const vary: Fields = this.#isAny && this.patterns.length === 1 ? [] : [["Vary", "Origin"]];
    const origin = head.get("origin");
    if (origin === null || !this.#has(origin)) return vary;
    // A listed origin may send credentials, which `sendBeacon` always does.
    const allowed: Fields = this.#lists(origin)
      ? [
          ["Access-Control-Allow-Origin", origin],
          ["Access-Control-Allow-Credentials", "true"],
        ]
      : [["Access-Control-Allow-Origin", "*"]];
    return [...allowed, ...vary, ...(isPreflight(head) ? toPreflightFields(head) : EXPOSED)];
  }

  #has(origin: string): boolean {
    return this.#isAny || this.#lists(origin);
  }

  /** By its name, or as a subdomain. */
  #lists(origin: string): boolean {
    if (this.#exact.has(origin)) return true;
    return this.#subdomains.some(
      ({ prefix, suffix }) =>
        origin.length > prefix.length + suffix.length &&
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        /^[a-z0-9_.-]+$/.test(origin.slice(prefix.length, -suffix.length)),
    );
  }
}

const EXPOSED: Fields = [["Access-Control-Expose-Headers", EXPOSED_HEADERS]];

function isPreflight(head: Head): boolean {
  return head.method === "OPTIONS" && head.get("access-control-request-method") !== null;
}

function toPreflightFields(head: Head): Fields {
  const asksForPrivateNetwork = head.get("access-control-request-private-network") === "true";
  return [
    ["Access-Control-Allow-Methods", ALLOWED_METHODS],
    ["Access-Control-Allow-Headers", [ALLOWED_HEADERS, ...attributesAskedFor(head)].join(", ")],
    ["Access-Control-Max-Age", String(PREFLIGHT_MAX_AGE_SECONDS)],
    // A page on the Internet may send to an address that is not (Private Network Access).
    ...(asksForPrivateNetwork ? ([["Access-Control-Allow-Private-Network", "true"]] as const) : []),
  ];
}

/** Headers of CloudEvents: callers choose the names of extension attributes, so those that the page asks for are allowed. */
function attributesAskedFor(head: Head): string[] {
  const asked = head.get("access-control-request-headers")?.toLowerCase().split(",") ?? [];
  return asked.map((name) => name.trim()).filter((name) => /^ce-[a-z0-9]+$/.test(name));
}

/**
 * Was the request sent by a page of another origin? Browsers send `Sec-Fetch-Site`, older ones `Origin` alone; no page can
 * change either.
 */
export function isCrossOrigin(head: Pick<RequestHead, "get">): boolean {
  const site = head.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = head.get("origin");
  if (origin === null) return false;
  const host = hostOf(origin);
  return host === undefined || host !== hostOf(`http://${head.get("host")}`);
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.host;
}

/** The refusal of a body that any page could send: browsers ask first (by a preflight) only for a Content-Type like JSON. */
export function originNotAllowed(head: Pick<RequestHead, "get">): Rejection {
  const origin = head.get("origin") ?? "another site";
  return new Rejection(
    "origin_not_allowed",
    `A page of ${origin.slice(0, 128)} sent a body without Content-Type, or a form: send application/json, from an origin that CORS_ALLOWED_ORIGINS lists.`,
  );
}

/** A pattern without a scheme, `*.example.com`, allows https alone: anyone on the network could be a page over http. */
function withScheme(pattern: string): string {
  return pattern.startsWith("*.") ? `https://${pattern}` : pattern;
}

/** Is it `*`, an origin as browsers send it, or one with `*.` for any subdomain? */
export function isOriginPattern(pattern: string): boolean {
  if (pattern === "*") return true;
  // Nothing but the root of all names is above such a subdomain.
  if (pattern.endsWith("*.")) return false;
  const example = withScheme(pattern).replace("://*.", "://subdomain.");
  if (example.includes("*") || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(example)) return false;
  const url = URL.parse(example);
  if (url === null) return false;
  // Other schemes, such as those of apps, have no origin in the URL standard.
  return /^https?:$/.test(url.protocol) ? url.origin === example : true;
}
