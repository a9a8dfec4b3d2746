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
  ) {}

  get status(): number {
    return this.head.status;
  }

  toResponse(): Response {
    const { status, fields } = this.head;
    return new Response(this.body, {
      status,
      headers: this.closes ? { ...fields, connection: "close" } : fields,
    });
  }
}
