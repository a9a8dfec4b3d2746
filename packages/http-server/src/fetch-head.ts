// The head of a Fetch `Request` as a RequestHead, its fields read from the headers when they are asked for.
import { type BodyLength, RequestHead } from "./request-head.ts";

/** @param headers those of the request, or a copy */
export function toRequestHead(
  { method, url, body }: Pick<Request, "method" | "url" | "body">,
  headers: Headers,
): RequestHead {
  // Without a Host that is one, Bun.serve gives a path instead of a URL.
  const isPath = url.startsWith("/");
  const hostStart = isPath ? 0 : url.indexOf("//") + 2;
  const pathStart = url.indexOf("/", hostStart);
  const host = isPath ? undefined : url.slice(hostStart, pathStart);
  const fields = new HeaderFields(headers, host);
  const bodyLength = toBodyLength(headers, body);
  const given = !isPath && URL.canParse(url) ? url : undefined;
  return new RequestHead(method, url.slice(pathStart), fields, bodyLength, true, false, false, given);
}

function toBodyLength(headers: Headers, body: Request["body"]): BodyLength {
  const declared = headers.get("content-length");
  if (declared !== null) return Number(declared);
  return body === null ? 0 : "chunked";
}

/** Reads as a map; with the Host of the URL, which the headers of a `Request` that was not received lack. */
class HeaderFields implements ReadonlyMap<string, string> {
  readonly #headers: Headers;
  readonly #host: string | undefined;

  constructor(headers: Headers, host: string | undefined) {
    this.#headers = headers;
    this.#host = host;
  }

  get(name: string): string | undefined {
    return this.#headers.get(name) ?? (name === "host" ? this.#host : undefined);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get size(): number {
    return this.#toMap().size;
  }

  forEach(visit: (value: string, name: string, map: ReadonlyMap<string, string>) => void): void {
    this.#toMap().forEach(visit);
  }

  entries(): MapIterator<[string, string]> {
    return this.#toMap().entries();
  }

  keys(): MapIterator<string> {
    return this.#toMap().keys();
  }

  values(): MapIterator<string> {
    return this.#toMap().values();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  #toMap(): Map<string, string> {
    const map = new Map([...this.#headers]);
    if (this.#host !== undefined && !map.has("host")) map.set("host", this.#host);
    return map;
  }
}
