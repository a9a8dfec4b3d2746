// The build's messages.
import type { Manifest } from "./addon.ts";
import { CommandError, firstError } from "./command.ts";
import { optionalLibraries } from "./libraries.ts";

const indent = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join("\n");

/** The addon can't be built because tools are missing: what doesn't work without it, and what to install. */
export function missingToolsMessage(missing: readonly string[]): string {
  return [
    `the Kafka client's native addon was not built: this machine lacks ${missing.join(", ")}.`,
    indent([
      "Without it the producer, the consumer, `bun run demo` and everything else that connects to Kafka can't run here.",
      "`bun run bench` against a running service works, and so does everything in Docker.",
      "To build it, on Debian or Ubuntu:",
      "  apt-get install -y g++ make libssl-dev zlib1g-dev libzstd-dev",
      "on macOS: xcode-select --install && brew install openssl@3 zstd",
      "(the libraries are optional: TLS and SCRAM, gzip, zstd), then `bun install` again.",
    ]),
  ].join("\n");
}

/** A failed build: the first error, and where its log is. */
export function buildFailedMessage(error: unknown, logFile: string): string {
  const cause = error instanceof CommandError ? firstError(error.result) : String(error);
  const step = error instanceof CommandError ? ` (${error.message})` : "";
  return [
    `building the Kafka client's native addon failed${step}:`,
    indent([cause, `full log: ${logFile}`, "nothing was installed; run `bun install` to try again"]),
  ].join("\n");
}

/** The addon's features, and how to get those that it lacks. */
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
