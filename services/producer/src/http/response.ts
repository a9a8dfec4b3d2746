// An answer, made of text: what the hot path gives instead of a Response, which costs more than all that is in it.

/** Status and header fields of answers. Made once for each kind, so that an answer brings only its body. */
export class ResponseHead {
  /** The fields as they go over the wire, each with its line's end. */
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
    /** The connection is of no more use after it. */
    readonly closes = false,
    /** Of the body in UTF-8. */
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
