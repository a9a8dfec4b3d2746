// The root package's `postinstall`: builds the Kafka client's native addon.
//
// KAFKA_NATIVE_SKIP=1      do nothing
// KAFKA_NATIVE_REQUIRED=1  exit with 1 when there is no addon in the end (images, CI)
// KAFKA_NATIVE_STATIC=1    link OpenSSL, zlib and zstd statically
import { ensureAddon } from "./ensure.ts";
import { featuresMessage } from "./messages.ts";
import { createProgress } from "./progress.ts";

if (process.env.KAFKA_NATIVE_SKIP !== "1") {
  const progress = createProgress(process.stderr);
  const started = performance.now();
  const outcome = await ensureAddon(process.env, progress);
  if (outcome.status === "ready") {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    progress.print(
      `${outcome.isNew ? `ready after ${seconds} s` : "up to date"}: ${featuresMessage(outcome.manifest)}`,
    );
  } else {
    const isRequired = process.env.KAFKA_NATIVE_REQUIRED === "1";
    progress.print(`${isRequired ? "error" : "warning"}: ${outcome.message}`);
    if (isRequired) process.exit(1);
  }
}
