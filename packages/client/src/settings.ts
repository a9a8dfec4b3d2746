// The client's options with their defaults, checked.
import type { ClientOptions } from "./types.ts";

const KIB = 1024;

const defaults = {
  maxBatchEvents: 500,
  maxBatchBytes: 512 * KIB,
  lingerMs: 1_000,
  compressAboveBytes: KIB,
  requestTimeoutMs: 30_000,
  maxQueueEvents: 10_000,
  maxQueueBytes: 8 * KIB * KIB,
  backoffMs: 500,
  maxBackoffMs: 30_000,
};

export type Settings = ClientOptions & typeof defaults;

/** @throws TypeError that names an option with a value that can't be used */
export function toSettings(options: ClientOptions): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = { ...defaults, ...Object.fromEntries(given) } as Settings;
  // 0 is a batch, a queue or a timeout in which nothing fits.
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[])
    if (!(settings[name] >= (name.startsWith("max") || name === "requestTimeoutMs" ? 1 : 0)))
      throw new TypeError(`${name} must be a positive number, not ${settings[name]}`);
  return settings;
}
