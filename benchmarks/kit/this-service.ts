// How this project's producer is started for a measurement.
import { join, resolve } from "node:path";
import { root } from "./paths.ts";
import type { ServerSpec } from "./server-process.ts";

/**
 * The producer with one worker and warnings only.
 * @param checkout another checkout of this repository, with its dependencies installed
 */
export function thisService(checkout: string = root): ServerSpec {
  const cwd = resolve(checkout);
  return {
    title: "this service",
    // Bun has an allocator of its own: preloading another gains nothing.
    command: [process.execPath, join(cwd, "services/producer/src/main.ts")],
    cwd,
    env: { WORKERS: "1", LOG_LEVEL: "warn", LOG_FORMAT: "json", SHUTDOWN_DELAY_MS: "0" },
    isOurs: true,
    hasTwoCores: false,
  };
}
