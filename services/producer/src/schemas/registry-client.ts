// Confluent's client for its registry. Imported by its own path: the package's index loads the clients of three clouds,
// 100 MB, for encryption that schemas do not need.
import { SchemaRegistryClient } from "@confluentinc/schemaregistry/dist/schemaregistry-client.js";
import type { RegistryClient } from "./registry-source.ts";

const TIMEOUT_MS = 10_000;

export function createRegistryClient(url: string, user?: string, password?: string): RegistryClient {
  return new SchemaRegistryClient({
    baseURLs: [url.replace(/\/+$/, "")],
    // The source tries again.
    maxRetries: 0,
    createAxiosDefaults: { timeout: TIMEOUT_MS },
    ...(user !== undefined && {
      basicAuthCredentials: { credentialsSource: "USER_INFO", userInfo: `${user}:${password}` },
    }),
  });
}
