// Optional features of librdkafka, and how a build gets them.
import { KafkaError } from "./errors.ts";
import type { ClientConfig } from "./records.ts";

/** librdkafka's name of a feature → the Debian package whose headers its build looks for. */
const PACKAGES: Readonly<Record<string, string>> = {
  ssl: "libssl-dev",
  sasl_scram: "libssl-dev",
  sasl_oauthbearer: "libssl-dev",
  oidc: "libcurl4-openssl-dev",
  zstd: "libzstd-dev",
  gzip: "zlib1g-dev",
};

const MECHANISMS: Readonly<Record<string, string>> = {
  PLAIN: "sasl_plain",
  "SCRAM-SHA-256": "sasl_scram",
  "SCRAM-SHA-512": "sasl_scram",
  OAUTHBEARER: "sasl_oauthbearer",
};

/**
 * Checks that the addon was built with the features that a configuration needs.
 * @throws KafkaError `unsupported`, with how to get the feature
 */
export function assertFeatures(config: ClientConfig, features: readonly string[]): void {
  for (const [feature, reason] of neededFeatures(config)) {
    if (features.includes(feature)) continue;
    const debian = PACKAGES[feature];
    throw new KafkaError(
      "unsupported",
      `${reason} needs librdkafka's feature ${feature}, which this build lacks: install ${debian ?? "its library"}` +
        `${debian ? " (Debian's name; your system may have another)" : ""}, then run \`bun install\` again. For an image, add the package to the Dockerfile's native stage and rebuild (not possible for OIDC: images are linked statically, without libcurl). ` +
        `This build has: ${features.join(", ")}`,
    );
  }
}

function neededFeatures(config: ClientConfig): [feature: string, reason: string][] {
  const needed: [string, string][] = [];
  const protocol = String(config["security.protocol"] ?? "plaintext");
  if (protocol.endsWith("ssl")) needed.push(["ssl", `security.protocol=${protocol}`]);
  const mechanism = String(config["sasl.mechanism"] ?? config["sasl.mechanisms"] ?? "");
  if (protocol.startsWith("sasl") && MECHANISMS[mechanism] !== undefined)
    needed.push([MECHANISMS[mechanism], `sasl.mechanism=${mechanism}`]);
  if (config["sasl.oauthbearer.method"] === "oidc") needed.push(["oidc", "sasl.oauthbearer.method=oidc"]);
  const codec = String(config["compression.type"] ?? config["compression.codec"] ?? "none");
  if (codec !== "none") needed.push([codec, `compression.type=${codec}`]);
  return needed;
}
