// A file that never changes while the process runs: read and compressed once, when it is first requested.
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** The codings that a file is kept in, the best first. */
const codings = {
  br: (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes: Buffer) => promisify(gzip)(bytes, { level: 9 }),
} as const;
type Coding = keyof typeof codings;

/** A day; after a new release the ETag tells. */
const CACHE_CONTROL = "public, max-age=86400";

const PIECE_BYTES = 64 * 1024;

export class StaticFile {
  readonly #path: string;
  readonly #type: string;
  #content: Promise<Buffer> | undefined;
  #tag: Promise<string> | undefined;
  readonly #encoded = new Map<Coding, Promise<Buffer>>();

  constructor(path: string, type: string) {
    this.#path = path;
    this.#type = type;
  }

  /** With validation (RFC 9110, section 13.1.2) and content negotiation for the coding (section 12.5.3). */
  async respond({ headers }: Request): Promise<Response> {
    this.#content ??= this.#read();
    this.#tag ??= this.#content.then((bytes) => Bun.hash(bytes).toString(36));
    const coding = toCoding(headers.get("accept-encoding"));
    const tag = `"${await this.#tag}${coding === undefined ? "" : `-${coding}`}"`;
    const fields = { etag: tag, "cache-control": CACHE_CONTROL, vary: "Accept-Encoding" };
    if (matches(headers.get("if-none-match"), tag))
      return new Response(null, { status: 304, headers: fields });
    const content = coding === undefined ? await this.#content : await this.#encode(coding, this.#content);
    return new Response(toStream(content), {
      headers: {
        ...fields,
        "content-length": String(content.length),
        "content-type": this.#type,
        ...(coding !== undefined && { "content-encoding": coding }),
      },
    });
  }

  async #read(): Promise<Buffer> {
    try {
      return Buffer.from(await Bun.file(this.#path).bytes());
    } catch (error) {
      // The next request may succeed, for example when file descriptors are free again.
      this.#content = undefined;
      this.#tag = undefined;
      throw error;
    }
  }

  #encode(coding: Coding, content: Promise<Buffer>): Promise<Buffer> {
    let encoded = this.#encoded.get(coding);
    if (encoded === undefined) {
      encoded = content.then(codings[coding]);
      this.#encoded.set(coding, encoded);
    }
    return encoded;
  }
}

/** In pieces, as fast as the client reads: a `Response` with the bytes would hold a copy of them until then. */
function toStream(content: Buffer): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= content.length) controller.close();
        else controller.enqueue(content.subarray(at, at + PIECE_BYTES));
        at += PIECE_BYTES;
      },
    },
    { highWaterMark: 0 },
  );
}

/** The best coding that is accepted by name; undefined for none. */
function toCoding(acceptEncoding: string | null): Coding | undefined {
  const accepted = new Map(
    (acceptEncoding ?? "").split(",").map((item) => {
      const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
      return [name, Number(weight)];
    }),
  );
  return (Object.keys(codings) as Coding[]).find((coding) => (accepted.get(coding) ?? 0) > 0);
}

function matches(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((item) => item.trim().replace(/^W\//, "") === tag);
}
