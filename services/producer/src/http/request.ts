// A request as the handlers of events take it: a head, and a body that is whole.
import { isUtf8 } from "node:buffer";
import { RequestHead } from "./server/head.ts";

/** Node's and Bun's Buffer has this, without the types knowing: it skips the look at the encoding. */
type Utf8Buffer = Buffer & { utf8Slice(start: number, end: number): string };

const REPLACEMENT = "\ufffd";

/** Methods that a Request keeps: others become GET, or are given in capitals. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The bytes of a body: a part of what came over the connection. */
export class Body {
  static readonly EMPTY = new Body(Buffer.alloc(0), 0, 0);

  constructor(
    readonly bytes: Buffer,
    readonly start: number,
    readonly end: number,
  ) {}

  get length(): number {
    return this.end - this.start;
  }

  /** A view. */
  toBuffer(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** Its text; undefined when it isn't UTF-8. A byte order mark is left in. */
  toText(): string | undefined {
    const text = (this.bytes as Utf8Buffer).utf8Slice(this.start, this.end);
    // One unit a byte and nothing replaced: it is all ASCII, and nothing more has to be looked at.
    if (text.length === this.length && !text.includes(REPLACEMENT)) return text;
    return isUtf8(this.toBuffer()) ? text : undefined;
  }
}

export class IncomingRequest {
  /** Its handler was asked before the body came, and let it in. */
  isAdmitted = false;

  constructor(
    readonly head: RequestHead,
    /** When its head was whole, by `performance.now()`. */
    readonly startedMs: number,
    public body: Body,
  ) {}

  get method(): string {
    return this.head.method;
  }

  get url(): string {
    return this.head.url;
  }

  /** A request of the Fetch standard as one of these. */
  static async from(request: Request): Promise<IncomingRequest> {
    const url = new URL(request.url);
    const bytes = Buffer.from(await request.arrayBuffer());
    const fields = new Map(request.headers);
    const head = new RequestHead(
      request.method,
      url.pathname + url.search,
      fields,
      bytes.length,
      true,
      false,
    );
    return new IncomingRequest(head, performance.now(), new Body(bytes, 0, bytes.length));
  }

  /** This request as one of the Fetch standard; as it is when that would make another method of its own. */
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
