// What the build tells people.
import type { Manifest } from "./addon.ts";
import { CommandError, firstError } from "./command.ts";
import { optionalLibraries } from "./libraries.ts";

const indent = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join("\n");

/** Why there is no addon when the tools to build it are missing, what that means, and what to do. */
export function missingToolsMessage(missing: readonly string[]): string {
  return [
    `the Kafka client's native addon was not built: this machine lacks ${missing.join(", ")}.`,
    indent([
      "What will not work here: the producer and consumer services, `bun run demo` and whatever else talks to Kafka.",
      "What will: `bun run bench` against a running service, and everything in Docker.",
      "To build it, on Debian or Ubuntu:",
      "  apt-get install -y g++ make libssl-dev zlib1g-dev libzstd-dev",
      "on macOS: xcode-select --install && brew install openssl@3 zstd",
      "(the libraries are optional: TLS and SCRAM, gzip, zstd), then `bun install` again.",
    ]),
  ].join("\n");
}

/** What went wrong in a build, with the first error and the log's place. */
export function buildFailedMessage(error: unknown, logFile: string): string {
  const cause = error instanceof CommandError ? firstError(error.result) : String(error);
  const step = error instanceof CommandError ? ` (${error.message})` : "";
  return [
    `building the Kafka client's native addon failed${step}:`,
    indent([cause, `full log: ${logFile}`, "nothing was installed; `bun install` tries again"]),
  ].join("\n");
}

/** What the addon can do, and how to get what it cannot. */
export function featuresMessage({ librdkafka, features, isStatic }: Manifest): string {
  const on = features.filter((feature) => !["regex", "plugins", "sasl", "http"].includes(feature));
  const off = optionalLibraries.filter(({ feature }) => !features.includes(feature));
  const lines = [
    `librdkafka ${librdkafka}${isStatic ? ", libraries linked statically" : ""}, with ${on.join(", ")}`,
  ];
  for (const library of off) {
    lines.push(`without ${library.purpose}: needs ${library.package} (Debian's name), then \`bun install\``);
  }
  return lines.join("\n  ");
}
