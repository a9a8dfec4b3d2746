// Who sent a request: its head → the caller, or why it is refused.
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHead } from "@ingest/http-server";
import { PIXEL_PATH } from "../formats/adapters/pixel-path.ts";
import { Rejection } from "../rejection.ts";
import type { Caller } from "./caller.ts";
import { type CallerCounts, createCallerCounts } from "./caller-counts.ts";
import { KEY_PARAMETER, type PresentedKey, presentedKey } from "./credentials.ts";
import { AllowedOrigins, isCrossOrigin } from "./origins.ts";
import type { CallerKey, Callers } from "./parse-file.ts";

/** Who sent the requests with one head. */
export interface Identity {
  /** Or why they are refused: no valid key, or a page of an origin that the caller may not use. */
  readonly caller: Caller | Rejection;
  /** The caller's id, or `none` without a valid key. */
  readonly id: string;
  readonly counts: CallerCounts;
  /** What the caller was found in. */
  readonly source: Callers;
  /** When the caller's key expires, Unix ms; Infinity: never. */
  readonly expiresMs: number;
}

/** The id that stands for requests without a valid key. */
const NO_CALLER = "none";

export class CallerDirectory {
  #callers: Callers;
  #origins: AllowedOrigins;
  /** By id. The file bounds their number. */
  #counts = new Map<string, CallerCounts>();
  readonly #corsOrigins: AllowedOrigins;
  /** Requests with the same head share one parsed head, so its key is hashed once. */
  readonly #byHead = new WeakMap<RequestHead, Identity>();

  /** @param corsOrigins the origins of callers that have none of their own */
  constructor(callers: Callers, corsOrigins: AllowedOrigins) {
    this.#callers = callers;
    this.#corsOrigins = corsOrigins;
    this.#origins = corsOrigins;
    this.replace(callers);
  }

  /** From now on, these are the callers. The counters of those that stay go on. */
  replace(callers: Callers): void {
    const all = callers.anonymous ? [...callers.callers, callers.anonymous] : callers.callers;
    const ids = [...all.map(({ id }) => id), NO_CALLER];
    this.#counts = new Map(ids.map((id) => [id, this.#counts.get(id) ?? createCallerCounts()]));
    this.#origins = new AllowedOrigins([
      ...new Set([...this.#corsOrigins.patterns, ...all.flatMap(({ origins }) => origins?.patterns ?? [])]),
    ]);
    this.#callers = callers;
  }

  /** The origins whose pages may send events with some key, or without one. A preflight has no key that would say more. */
  get origins(): AllowedOrigins {
    return this.#origins;
  }

  /** By the caller's id, and `none` for requests without a valid key. */
  get counts(): ReadonlyMap<string, CallerCounts> {
    return this.#counts;
  }

  /** @param inBody the key in the body of a request whose head has none */
  identify(head: RequestHead, inBody?: string): Identity {
    if (inBody !== undefined) return this.#find(head, { key: inBody, place: "body" });
    const known = this.#byHead.get(head);
    if (known !== undefined && this.isCurrent(known)) return known;
    const identity = this.#find(head);
    this.#byHead.set(head, identity);
    return identity;
  }

  /** Does the identity still hold? Not after a reload of the file, and not once the key has expired. */
  isCurrent({ source, expiresMs }: Identity): boolean {
    return source === this.#callers && (expiresMs === Number.POSITIVE_INFINITY || Date.now() < expiresMs);
  }

  #find(head: RequestHead, presented = presentedKey(head)): Identity {
    if (presented === undefined) {
      const { anonymous } = this.#callers;
      return anonymous
        ? this.#toIdentity(anonymous, head, Number.POSITIVE_INFINITY)
        : this.#refuse(MISSING_KEY);
    }
    const key = findKey(presented, this.#callers);
    return key instanceof Rejection ? this.#refuse(key) : this.#toIdentity(key.caller, head, key.expiresMs);
  }

  #refuse(rejection: Rejection): Identity {
    const counts = this.#counts.get(NO_CALLER)!;
    const expiresMs = Number.POSITIVE_INFINITY;
    return { caller: rejection, id: NO_CALLER, counts, source: this.#callers, expiresMs };
  }

  #toIdentity(caller: Caller, head: RequestHead, expiresMs: number): Identity {
    const counts = this.#counts.get(caller.id)!;
    const checked = this.#checkOrigin(caller, head);
    return { caller: checked, id: caller.id, counts, source: this.#callers, expiresMs };
  }

  #checkOrigin(caller: Caller, head: RequestHead): Caller | Rejection {
    if (
      head.path === PIXEL_PATH ||
      !isCrossOrigin(head) ||
      (caller.origins ?? this.#corsOrigins).includes(head)
    )
      return caller;
    const origin = head.get("origin") ?? "another site";
    return new Rejection(
      "origin_not_allowed",
      `A page of ${origin.slice(0, 128)} may not send events as ${caller.id}.`,
    );
  }
}

function findKey({ key, place }: PresentedKey, { keys }: Callers): CallerKey | Rejection {
  // The bytes as they were sent: those of a header field were read as Latin-1.
  const digest = createHash("sha256")
    .update(key, place === "header" ? "latin1" : "utf8")
    .digest();
  // What the lookup's time reveals is about the digest, from which no key follows.
  const found = keys.get(digest.toString("hex"));
  if (found === undefined || !timingSafeEqual(found.digest, digest)) return UNKNOWN_KEY;
  if (place === "query" && !found.inQuery) return NOT_IN_QUERY;
  return Date.now() < found.expiresMs ? found : EXPIRED_KEY;
}

/** The challenge of RFC 6750, section 3. */
const CHALLENGE = 'Bearer realm="events"';

const MISSING_KEY = new Rejection("missing_api_key", `Send a key: Authorization: Bearer, or X-API-Key.`, {
  fields: { "WWW-Authenticate": CHALLENGE },
});
const UNKNOWN_KEY = invalidKey("The key is not known.");
const EXPIRED_KEY = invalidKey("The key has expired.");
const NOT_IN_QUERY = invalidKey(`The key is not accepted as ${KEY_PARAMETER}: send it in a header.`);

function invalidKey(detail: string): Rejection {
  return new Rejection("invalid_api_key", detail, {
    fields: { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token", error_description="${detail}"` },
  });
}
