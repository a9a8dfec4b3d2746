#!/usr/bin/env bun
// `bun run schemas check|validate|test`: schemas before they are used. This file only wires; see schemas/compatibility/.
import { existsSync } from "node:fs";
import { type Command, type CommandLine, runCommand, UsageError } from "@ingest/cli-flags";
import { check, testEvents, validate } from "./schemas/compatibility/commands.ts";

const flags = {
  "unknown-types": {
    kind: "choice",
    of: ["allow", "reject"],
    default: "allow",
    help: "SCHEMA_UNKNOWN_TYPES of the producer: with reject, events of a type that was removed are refused",
  },
} as const;

const command: Command<typeof flags> = {
  name: "bun run schemas",
  about: "Checks JSON Schemas of payloads before the producer uses them.",
  flags,
  operands: {
    name: "check OLD NEW|validate DIR|test DIR EVENTS.ndjson",
    help: "check: what NEW would refuse and OLD does not, by example; validate: can the producer use them; test: would it take these events",
    min: 2,
    max: 3,
  },
  notes: `OLD, NEW and DIR are folders as SCHEMA_DIR, or one file of one. Exit code 0: nothing is newly refused, or nothing is
wrong; 1: something is; 2: the command line is invalid.`,
};

function main({ operands: [action, ...paths], values }: CommandLine<typeof flags>): number {
  const [first = "", second] = paths;
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new UsageError(...missing.map((path) => `${path} does not exist`));
  const run = () => {
    if (action === "check" && second !== undefined)
      return check(first, second, values["unknown-types"] === "reject");
    if (action === "test" && second !== undefined) return testEvents(first, second);
    if (action === "validate" && second === undefined) return validate(first);
    throw new UsageError(
      `check OLD NEW, validate DIR or test DIR EVENTS.ndjson, got "${[action, ...paths].join(" ")}"`,
    );
  };
  const { text, exitCode } = run();
  process.stdout.write(`${text}\n`);
  return exitCode;
}

process.exit(await runCommand(command, process.argv.slice(2), main));
