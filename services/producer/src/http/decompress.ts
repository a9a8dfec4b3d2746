// Decompresses a body, and stops as soon as it is larger than allowed: a bomb costs no more memory than that.
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Zlib,
} from "node:zlib";
import { Rejection } from "../rejection.ts";
import type { Encoding } from "./content.ts";
import { zstdFramesEnd } from "./zstd-frames.ts";

const CHUNK_BYTES = 64 * 1024;
const options = { chunkSize: CHUNK_BYTES };

type Decoder = NodeJS.ReadWriteStream & Pick<Zlib, "bytesWritten"> & { destroy(): unknown };

const decoders: Record<Encoding, (body: Buffer) => Decoder> = {
  gzip: () => createGunzip(options),
  deflate: (body) => (hasZlibHeader(body) ? createInflate(options) : createInflateRaw(options)),
  br: () => createBrotliDecompress(options),
  // The sender chooses the window, which is memory here: 8 MiB is what RFC 8878 recommends every decoder to support.
  zstd: () => createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
};

/**
 * `deflate` is zlib's format (RFC 9110, section 8.4.1.2), but some clients send the raw stream within, as browsers have
 * accepted it. The low half of zlib's first byte is 8; in a raw stream it would be a stored block with a non-zero padding
 * bit, which no encoder writes.
 */
function hasZlibHeader(body: Buffer): boolean {
  return body.length > 0 && (body[0]! & 0x0f) === 8;
}

/**
 * Undoes the encodings, the last one first. Each step is bounded by `maxBytes`.
 * @param encodings in the order in which they were applied
 * @param reserve called before more memory is used; false ends it with `overloaded`
 * @returns the decompressed body, or a rejection: `too_large`, `overloaded` or `bad_encoding`
 */
export async function decompress(
  body: Buffer,
  encodings: readonly Encoding[],
  maxBytes: number,
  reserve: (bytes: number) => boolean,
): Promise<Buffer | Rejection> {
  let content: Buffer | Rejection = body;
  for (const encoding of encodings.toReversed()) {
    content = await decompressOnce(content, encoding, maxBytes, reserve);
    if (content instanceof Rejection) return content;
  }
  return content;
}

function decompressOnce(
  body: Buffer,
  encoding: Encoding,
  maxBytes: number,
  reserve: (bytes: number) => boolean,
): Promise<Buffer | Rejection> {
  const decoder = decoders[encoding](body);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (result: Buffer | Rejection) => {
      resolve(result);
      decoder.destroy();
    };
    decoder.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes)
        end(new Rejection("too_large", `The body has more than ${maxBytes} bytes once decompressed.`));
      else if (!reserve(chunk.length))
        end(
          new Rejection(
            "overloaded",
            "Too many bytes are decompressed at once: send it again after Retry-After.",
          ),
        );
      else chunks.push(chunk);
    });
    decoder.on("end", () =>
      end(incomplete(body, encoding, decoder.bytesWritten) ?? Buffer.concat(chunks, bytes)),
    );
    decoder.on("error", (error: NodeJS.ErrnoException) => end(toRejection(error, body, encoding)));
    decoder.end(body);
  });
}

/** Why the body is not exactly what its encoding declares, although the decoder found no error. */
function incomplete(body: Buffer, encoding: Encoding, bytesRead: number): Rejection | undefined {
  const streamEnd = encoding === "zstd" ? zstdFramesEnd(body) : bytesRead;
  if (streamEnd === "truncated") return truncated(encoding);
  const rest = body.length - streamEnd;
  return rest === 0 ? undefined : trailing(encoding, `${rest} bytes`);
}

function toRejection(error: NodeJS.ErrnoException, body: Buffer, encoding: Encoding): Rejection {
  if (error.code === "Z_BUF_ERROR") return truncated(encoding);
  // gzip may have several members (RFC 1952, section 2.2): its decoder takes what follows the first one for the next.
  if (
    encoding === "gzip" &&
    body[0] === 0x1f &&
    body[1] === 0x8b &&
    error.message === "incorrect header check"
  )
    return trailing(encoding, "bytes");
  return new Rejection("bad_encoding", `The body is not valid ${encoding}: ${error.message}.`);
}

function truncated(encoding: Encoding): Rejection {
  return new Rejection("bad_encoding", `The body is truncated: its ${encoding} stream is incomplete.`);
}

function trailing(encoding: Encoding, what: string): Rejection {
  return new Rejection("bad_encoding", `The body has ${what} after the end of its ${encoding} stream.`);
}
