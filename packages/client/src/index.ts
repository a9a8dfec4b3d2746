// A client for the producer: browsers, workers, Bun and Node.
import { createClientOn } from "./client.ts";
import { currentPlatform } from "./platform.ts";
import type { Client, ClientOptions } from "./types.ts";

export type * from "./types.ts";

/** @throws TypeError for options that can't be used */
export function createClient(options: ClientOptions): Client {
  return createClientOn(currentPlatform(), options);
}
