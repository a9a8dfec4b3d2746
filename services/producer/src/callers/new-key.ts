// A new key for a caller.
import { createHash, randomBytes } from "node:crypto";
import type { CallerEntry } from "./file-schema.ts";

/** Begins every key, so that a scanner finds one that was published by mistake. */
const KEY_PREFIX = "ingest_";
const KEY_BYTES = 32;

export interface NewKey {
  /** What the caller sends. Only it is secret. */
  readonly key: string;
  /** What CALLERS_FILE contains. */
  readonly entry: CallerEntry["keys"][number];
}

export function newKey(more: Omit<CallerEntry["keys"][number], "sha256"> = {}): NewKey {
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString("base64url");
  return { key, entry: { sha256: createHash("sha256").update(key).digest("hex"), ...more } };
}
