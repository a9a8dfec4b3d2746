// Reads an operator's file: one that can't be meant is refused at once, with a reason that names no other cause.
import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";

/** Far beyond any use: a larger file, such as a log, would stop the service while it is parsed. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The text of a regular file, without a byte order mark. A pipe or a device might never end.
 * @throws Error whose message says why it can't be used, as a sentence about the file
 */
export function readTextFile(path: string): string {
  const bytes = readBytes(path);
  if (!isUtf8(bytes)) throw new Error("is not UTF-8");
  return bytes.toString().replace(/^\ufeff/, "");
}

function readBytes(path: string): Buffer {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error("is not a regular file");
    if (stats.size > MAX_BYTES) throw new Error(`has ${stats.size} bytes, more than ${MAX_BYTES}`);
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(`can't be read (${code})`);
  }
}
