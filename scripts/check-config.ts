#!/usr/bin/env bun
// `bun run check-config producer|consumer`: checks the settings as the service does at its start.
import { type Command, type CommandLine, runCommand, UsageError } from "@ingest/cli-flags";
import { root } from "./set-up.ts";

const services = ["producer", "consumer"];

const flags = {
  "print-config": { kind: "switch", help: "print all settings too, with secrets masked" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run check-config",
  about: "Reports every problem of a service's settings, or OK, without opening a socket.",
  flags,
  operands: { name: services.join("|"), help: "the service whose settings are read", min: 1, max: 1 },
  notes: "Settings are environment variables and .env. Exit code: 0, or 2 with a problem.",
};

async function main({ operands: [service], values }: CommandLine<typeof flags>): Promise<number> {
  if (!services.includes(service!)) throw new UsageError(`${services.join(" or ")}, got "${service}"`);
  const flag = values["print-config"] ? "--print-config" : "--check-config";
  const program = [process.execPath, `services/${service}/src/main.ts`, flag];
  return await Bun.spawn(program, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).exited;
}

process.exit(await runCommand(command, process.argv.slice(2), main));
