// The head of a request, parsed.

/** The length of a body: declared in bytes, or known only when its last chunk has come. */
export type BodyLength = number | "chunked";

/**
 * Immutable, and shared by all requests with the same text of a head: nearly all requests of one client have the same.
 * What a handler derives from a head it may keep in a WeakMap by this object.
 */
export class RequestHead {
  readonly path: string;

  constructor(
    readonly method: string,
    /** From its first slash on, query included. */
    readonly target: string,
    /** Lower-case names; the values of a repeated field are joined by commas. */
    readonly fields: ReadonlyMap<string, string>,
    readonly bodyLength: BodyLength,
    readonly keepAlive: boolean,
    readonly expectsContinue: boolean,
    /** With the scheme and the name by which the client reached this server (RFC 9110, section 7.1). */
    readonly url = `http://${fields.get("host") || "localhost"}${target}`,
  ) {
    this.path = target.split("?", 1)[0]!;
  }

  /** @param name in lower case */
  get(name: string): string | null {
    return this.fields.get(name) ?? null;
  }
}
