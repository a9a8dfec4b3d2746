// Decompresses a body, and stops as soon as it is larger than allowed: a bomb costs no more memory than that.
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { Rejection } from "../rejection.ts";
import type { Encoding } from "./content.ts";

const CHUNK_BYTES = 64 * 1024;

const decoders = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflate({ chunkSize: CHUNK_BYTES }),
  br: () => createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
  // The sender chooses the window, which is memory here: 8 MiB is what RFC 8878 recommends every decoder to support.
  zstd: () =>
    createZstdDecompress({ chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
} satisfies Record<Encoding, () => NodeJS.ReadWriteStream>;

/**
 * @param reserve called before more memory is used; false ends it with `overloaded`
 * @returns the decompressed body, or a rejection: `too_large`, `overloaded` or `bad_encoding`
 */
export function decompress(
  body: Buffer,
  encoding: Encoding,
  maxBytes: number,
  reserve: (bytes: number) => boolean,
): Promise<Buffer | Rejection> {
  const decoder = decoders[encoding]();
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
        end(new Rejection("overloaded", "Too many bytes are decompressed at once: try again shortly."));
      else chunks.push(chunk);
    });
    decoder.on("end", () => end(Buffer.concat(chunks, bytes)));
    decoder.on("error", (error) =>
      end(new Rejection("bad_encoding", `The body is not valid ${encoding}: ${error.message}.`)),
    );
    decoder.end(body);
  });
}
