// What the server refuses by itself: requests that are not HTTP/1.1, too large, too slow, or too many.

/** Code → HTTP status (RFC 9110, section 15; 431 is RFC 6585). */
export const rejectionStatuses = {
  not_http: 400,
  bad_encoding: 400,
  request_timeout: 408,
  too_large: 413,
  uri_too_long: 414,
  expectation_failed: 417,
  head_too_large: 431,
  not_implemented: 501,
  overloaded: 503,
  version_not_supported: 505,
} as const;

export type HttpRejectionCode = keyof typeof rejectionStatuses;

/** An expected refusal, returned instead of a result: `instanceof` tells the two apart. */
export class HttpRejection {
  constructor(
    readonly code: HttpRejectionCode,
    /** What to change in this request. */
    readonly detail: string,
    /** The end of the request is unknown, so nothing more can be read from its connection. */
    readonly closes = false,
  ) {}

  get status(): number {
    return rejectionStatuses[this.code];
  }
}

/** Nothing after the request can be read. */
export function refused(code: HttpRejectionCode, detail: string): HttpRejection {
  return new HttpRejection(code, detail, true);
}

/** @param what breaks the syntax of HTTP/1.1, as a clause */
export function badRequest(what: string): HttpRejection {
  return refused("not_http", `The request can't be read: ${what}.`);
}

export function invalidHost(): HttpRejection {
  return badRequest("Host is not a host with an optional port");
}

export function payloadTooLarge(maxBytes: number): HttpRejection {
  return new HttpRejection("too_large", `The body has more than ${maxBytes} bytes.`);
}

/** The bodies of all requests together exceed their memory budget. */
export function tooManyBytesInFlight(): HttpRejection {
  return new HttpRejection("overloaded", "Too many bytes are arriving at once: try again shortly.");
}

/** A body that trickles. */
export function tooSlow(minBytesPerSecond: number, windowMs: number): HttpRejection {
  const limit = minBytesPerSecond === 0 ? "nothing" : `fewer than ${minBytesPerSecond} bytes a second`;
  return new HttpRejection("request_timeout", `Of the body came ${limit} for ${windowMs} ms.`, true);
}

/** @param what what did not arrive, as the subject of a sentence */
export function timedOut(what: string, timeoutMs: number): HttpRejection {
  return refused("request_timeout", `${what} did not arrive within ${timeoutMs} ms.`);
}
