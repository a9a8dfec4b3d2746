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
    /** From its first slash on, query included; or `*`, the server as a whole, for OPTIONS. */
    readonly target: string,
    /** Lower-case names; the values of a repeated field are joined by commas, those of Cookie by semicolons. */
    readonly fields: ReadonlyMap<string, string>,
    readonly bodyLength: BodyLength,
    readonly keepAlive: boolean,
    readonly expectsContinue: boolean,
    /** Such a client knows neither chunks nor interim responses, and keeps a connection only when the response says so. */
    readonly isHttp10 = false,
    /** With the scheme and the name by which the client reached this server (RFC 9110, section 7.1). */
    readonly url = `http://${toUrlHost(fields.get("host"))}${target === "*" ? "/" : target}`,
  ) {
    this.path = target.split("?", 1)[0]!;
  }

  /** @param name in lower case */
  get(name: string): string | null {
    return this.fields.get(name) ?? null;
  }
}

/** Some hosts of RFC 3986 are none to a URL parser, such as `1.2.3.4.5`. */
function toUrlHost(host: string | undefined): string {
  return host && URL.canParse(`http://${host}`) ? host : "localhost";
}
