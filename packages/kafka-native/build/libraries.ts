// The optional libraries that librdkafka can use.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Toolchain } from "./toolchain.ts";

export interface OptionalLibrary {
  /** The feature's name in librdkafka's `builtin.features`. */
  feature: string;
  header: string;
  /** Debian's package. */
  package: string;
  /** What it is for, in a message. */
  purpose: string;
}

// LZ4 and Snappy come with librdkafka's source. Kerberos (GSSAPI) is left out, as in Confluent's own builds.
export const optionalLibraries: readonly OptionalLibrary[] = [
  { feature: "ssl", header: "openssl/ssl.h", package: "libssl-dev", purpose: "TLS and SASL SCRAM" },
  { feature: "gzip", header: "zlib.h", package: "zlib1g-dev", purpose: "gzip compression" },
  { feature: "zstd", header: "zstd.h", package: "libzstd-dev", purpose: "zstd compression" },
  {
    feature: "oidc",
    header: "curl/curl.h",
    package: "libcurl4-openssl-dev",
    purpose: "OAuth tokens fetched by librdkafka itself (OIDC)",
  },
];

/** Folders outside the compiler's search path where Homebrew keeps libraries. */
export function extraPrefixes(): string[] {
  if (process.platform !== "darwin") return [];
  return ["/opt/homebrew", "/usr/local"]
    .flatMap((root) => [root, join(root, "opt/openssl@3"), join(root, "opt/zstd"), join(root, "opt/curl")])
    .filter((prefix) => existsSync(join(prefix, "include")));
}

/** Which of the optional libraries' headers the compiler finds. */
export async function findLibraries(toolchain: Toolchain): Promise<OptionalLibrary[]> {
  const source = optionalLibraries
    .map(({ header, feature }) => `#if __has_include(<${header}>)\nfound_${feature}\n#endif\n`)
    .join("");
  const includes = extraPrefixes().map((prefix) => `-I${prefix}/include`);
  const child = Bun.spawn([toolchain.cc, ...includes, "-E", "-P", "-x", "c", "-"], {
    stdin: new Blob([source]),
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = await new Response(child.stdout).text();
  const found = new Set(output.split(/\s+/));
  return optionalLibraries.filter(({ feature }) => found.has(`found_${feature}`));
}
