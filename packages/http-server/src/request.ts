// A request as handlers get it: a head, and a body that is complete. To code that reads a Fetch `Request` it is one.
import { Body } from "./body.ts";
import { toRequestHead } from "./fetch-head.ts";
import { type Peer, UNKNOWN_PEER } from "./peer.ts";
import { RequestHead } from "./request-head.ts";

/** What only some handlers ask for, made when they do. */
interface LazyParts {
  headers?: Headers;
  /** The content as the Fetch standard reads it. */
  reader?: Response;
  controller?: AbortController;
  /** What it was made of. */
  request?: Request;
}

/**
 * Has everything of a Fetch `Request`, and `instanceof Request` is true; nothing of it costs anything until it is read. It is
 * not one of the runtime's own: to hand it to a native function, such as `fetch`, use `clone()`.
 */
export class IncomingRequest implements Request {
  /** The guard admitted the request before its body came, and its handler has not taken it over yet. */
  isAdmitted = false;
  #lazy: LazyParts | undefined;

  constructor(
    readonly head: RequestHead,
    /** When the head was complete, by `performance.now()`. */
    readonly startedMs: number,
    /** The bytes of the body. */
    public content: Body,
    /** The other end of the connection. */
    public peer: Peer = UNKNOWN_PEER,
  ) {}

  /** Takes over a Fetch `Request`; its content is still to be read. */
  static over(request: Request, headers = request.headers, url = request.url): IncomingRequest {
    const { method, body } = request;
    const head = toRequestHead({ method, url, body }, headers);
    const incoming = new IncomingRequest(head, performance.now(), Body.EMPTY);
    incoming.#lazy = { headers, request };
    return incoming;
  }

  /** Reads a Fetch `Request` to its end. */
  static async from(request: Request): Promise<IncomingRequest> {
    // A copy, because the headers of a `Request` made of a form lose its type when the body is read.
    const incoming = IncomingRequest.over(request, new Headers([...request.headers]));
    if (request.body !== null) incoming.content = Body.of(Buffer.from(await request.arrayBuffer()));
    return incoming;
  }

  get method(): string {
    return this.head.method;
  }

  get url(): string {
    return this.head.url;
  }

  get headers(): Headers {
    const lazy = this.#parts;
    lazy.headers ??= new Headers([...this.head.fields]);
    return lazy.headers;
  }

  /** Aborted when the client goes before the response is sent. */
  get signal(): AbortSignal {
    const lazy = this.#parts;
    if (lazy.request !== undefined) return lazy.request.signal;
    lazy.controller ??= new AbortController();
    return lazy.controller.signal;
  }

  /** The client is gone. */
  abort(): void {
    const lazy = this.#parts;
    lazy.controller ??= new AbortController();
    lazy.controller.abort();
  }

  /**
   * The bytes, for a handler that reads them itself: they can be released while its response is pending. To others the body
   * counts as used from then on. Has the bytes also when a hook has read them before.
   */
  takeContent(): Body {
    const { content } = this;
    this.content = Body.TAKEN;
    return content;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#reader.body;
  }

  get bodyUsed(): boolean {
    return this.content === Body.TAKEN || this.#lazy?.reader?.bodyUsed === true;
  }

  // Asynchronous, so that a body that was taken is a rejection, as the Fetch standard has it.
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#reader.arrayBuffer();
  }

  async blob(): ReturnType<Request["blob"]> {
    return this.#reader.blob();
  }

  async bytes(): ReturnType<Request["bytes"]> {
    return new Uint8Array(await this.#reader.arrayBuffer());
  }

  async formData(): ReturnType<Request["formData"]> {
    return this.#reader.formData();
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the Fetch standard types it
  async json(): Promise<any> {
    return this.#reader.json();
  }

  async text(): Promise<string> {
    return this.#reader.text();
  }

  textStream(): ReadableStream<string> {
    return this.#reader.textStream();
  }

  /** A `Request` of the runtime's own. */
  clone(): Request {
    if (this.bodyUsed) throw new TypeError("Body already used");
    const { url, method, headers, signal, content } = this;
    // A body of GET has no meaning (RFC 9110, section 9.3.1), and `Request` refuses one.
    const hasBody = content.length > 0 && method !== "GET" && method !== "HEAD";
    const body = hasBody ? new Uint8Array(content.toBuffer()) : null;
    return new Request(url, { method, headers, signal, body });
  }

  /** The same request as GET, for a HEAD that is handled as one. */
  toGet(): IncomingRequest {
    const { target, fields, bodyLength, keepAlive, expectsContinue, isHttp10, url } = this.head;
    const head = new RequestHead(
      "GET",
      target,
      fields,
      bodyLength,
      keepAlive,
      expectsContinue,
      isHttp10,
      url,
    );
    const get = new IncomingRequest(head, this.startedMs, this.content, this.peer);
    get.#lazy = this.#parts;
    return get;
  }

  // What a client would decide; to a server these are the defaults of the Fetch standard.
  get cache(): Request["cache"] {
    return "default";
  }
  get credentials(): Request["credentials"] {
    return "same-origin";
  }
  get destination(): Request["destination"] {
    return "";
  }
  get duplex(): Request["duplex"] {
    return "half";
  }
  get integrity(): string {
    return "";
  }
  get keepalive(): boolean {
    return false;
  }
  get mode(): Request["mode"] {
    return "cors";
  }
  get redirect(): Request["redirect"] {
    return "follow";
  }
  get referrer(): string {
    return "about:client";
  }
  get referrerPolicy(): Request["referrerPolicy"] {
    return "";
  }

  get #parts(): LazyParts {
    this.#lazy ??= {};
    return this.#lazy;
  }

  get #reader(): Response {
    const lazy = this.#parts;
    if (lazy.reader === undefined) {
      if (this.content === Body.TAKEN) throw new TypeError("Body already used");
      const type = this.head.get("content-type");
      lazy.reader = new Response(this.content.length > 0 ? new Uint8Array(this.content.toBuffer()) : null, {
        headers: type === null ? {} : { "content-type": type },
      });
    }
    return lazy.reader;
  }
}

// `instanceof Request` is true, and no constructor of `Request` runs: it would cost more than parsing the head.
Object.setPrototypeOf(IncomingRequest.prototype, Request.prototype);
