// Where things are: the packages that the addon is built from, the place it is
// loaded from, and the cache.
import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** This package's folder. */
export const packageDir = dirname(import.meta.dir);

/** Confluent's package as installed: its C++ in `src`, librdkafka's source in `deps/librdkafka`. */
export const clientDir = dirname(Bun.resolveSync("@confluentinc/kafka-javascript/package.json", packageDir));

/** librdkafka's source as the client's package vendors it. */
export const librdkafkaSourceDir = join(clientDir, "deps", "librdkafka");

/** Where Confluent's JavaScript looks for its addon (through the `bindings` package). */
export const addonDir = join(clientDir, "build", "Release");

/** The addon's file name, as Confluent's JavaScript asks for it. */
export const addonName = "confluent-kafka-javascript.node";

/** The addon as Confluent's JavaScript loads it. */
export const addonPath = join(addonDir, addonName);

/** What the installed addon was built from and with (a `Manifest`). */
export const manifestPath = join(addonDir, "kafka-native.json");

/** Node-API's headers. */
export const nodeApiHeadersDir = join(
  dirname(Bun.resolveSync("node-api-headers/package.json", packageDir)),
  "include",
);

/**
 * The folder for finished builds, logs and work in progress: `$XDG_CACHE_HOME/bun-kafka-ingest`, or a folder
 * in the system's temporary one when the home cannot be written to.
 */
export function cacheDir(env: Readonly<Record<string, string | undefined>>): string {
  const preferred = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bun-kafka-ingest");
  for (const dir of [preferred, join(tmpdir(), "bun-kafka-ingest")]) {
    try {
      mkdirSync(dir, { recursive: true });
      accessSync(dir, constants.W_OK);
      return dir;
    } catch {
      // Try the next one.
    }
  }
  throw new Error(`neither ${preferred} nor ${tmpdir()} can be written to`);
}
