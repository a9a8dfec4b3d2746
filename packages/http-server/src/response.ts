// A response made of text: on the hot path a Fetch `Response` would cost more than everything in it.

/** Status and header fields. Created once for each kind of response, so that a response only adds its body. */
export class ResponseHead {
  /** The fields as they are sent, each with its CR LF. */
  readonly lines: string;

  constructor(
    readonly status: number,
    readonly fields: Readonly<Record<string, string>>,
  ) {
    this.lines = Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }
}

export class LightResponse {
  constructor(
    readonly head: ResponseHead,
    readonly body: string,
    /** The connection ends after this response. */
    readonly closes = false,
    /** Length of the body in UTF-8, bytes. */
    readonly bytes = Buffer.byteLength(body),
    /** Fields of this response alone, as they are sent, each with its CR LF. */
    readonly lines = "",
  ) {}

  get status(): number {
    return this.head.status;
  }

  /** The same with more field lines, each with its CR LF, and with another body if there is one. */
  with(lines: string, body = this.body): LightResponse {
    const bytes = body === this.body ? this.bytes : Buffer.byteLength(body);
    return new LightResponse(this.head, body, this.closes, bytes, this.lines + lines);
  }

  /** @param isHead the response to HEAD, which has a Content-Length and no body */
  toResponse(isHead = false): Response {
    const { status, fields } = this.head;
    if (this.lines === "" && !this.closes && !isHead)
      return new Response(this.body, { status, headers: fields });
    const headers = new Headers(fields);
    for (const line of this.lines.split("\r\n").filter((line) => line !== "")) {
      const colon = line.indexOf(":");
      headers.append(line.slice(0, colon), line.slice(colon + 1));
    }
    if (this.closes) headers.set("connection", "close");
    if (isHead) headers.set("content-length", String(this.bytes));
    return new Response(isHead ? null : this.body, { status, headers });
  }
}
