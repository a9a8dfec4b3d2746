// A request as the routes with a guard take it: a head, and a body that is complete.
import { Body } from "./body.ts";
import { RequestHead } from "./request-head.ts";

/** Methods that a `Request` keeps. It turns others into GET, or upper-cases them. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export class IncomingRequest {
  /** The guard was asked before the body came, and admitted the request. */
  isAdmitted = false;

  constructor(
    readonly head: RequestHead,
    /** When the head was complete, by `performance.now()`. */
    readonly startedMs: number,
    public body: Body,
  ) {}

  get method(): string {
    return this.head.method;
  }

  get url(): string {
    return this.head.url;
  }

  /** Reads a Fetch `Request` to its end. */
  static async from(request: Request): Promise<IncomingRequest> {
    const url = new URL(request.url);
    const bytes = Buffer.from(await request.arrayBuffer());
    const head = new RequestHead(
      request.method,
      url.pathname + url.search,
      new Map(request.headers),
      bytes.length,
      true,
      false,
    );
    return new IncomingRequest(head, performance.now(), new Body(bytes, 0, bytes.length));
  }

  /** A Fetch `Request`; this request itself where `Request` would change the method. */
  toRequest(): Request | IncomingRequest {
    if (!METHODS.has(this.method)) return this;
    const { method, url, head, body } = this;
    const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0;
    return new Request(url, {
      method,
      headers: [...head.fields],
      ...(hasBody ? { body: new Uint8Array(body.toBuffer()) } : {}),
    });
  }
}
