#!/usr/bin/env bun
// `bun run callers new-key|check`: keys for CALLERS_FILE, and its problems. This file only wires; see callers/.
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { isDateTime } from "@ingest/contract";
import { exitCodes, settingsOrExit } from "@ingest/service";
import { newKey } from "./callers/new-key.ts";
import { readCallers } from "./callers/read-file.ts";
import { readConfig } from "./config.ts";

const flags = {
  "expires-at": { kind: "text", value: "DATE-TIME", help: "new-key: when it expires, 2027-01-31T00:00:00Z" },
  "in-query": { kind: "switch", help: "new-key: it may be sent as the query parameter write_key" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run callers",
  about: "Makes a key for a caller, or checks CALLERS_FILE.",
  flags,
  operands: {
    name: "new-key|check",
    help: "new-key: prints a new key, and its entry in the file; check: lists the problems of CALLERS_FILE",
    min: 1,
    max: 1,
  },
  notes: "A key is printed once and stored nowhere: the file holds its SHA-256.",
};

async function main({ operands: [action], values }: CommandLine<typeof flags>): Promise<number> {
  if (action === "new-key") return printNewKey(values["expires-at"], values["in-query"]);
  if (action !== "check") return fail(`new-key or check, got "${action}"`);
  const { settings } = settingsOrExit(() => readConfig(process.env));
  const callers = settingsOrExit(() => readCallers(settings));
  if (callers === undefined) return fail("CALLERS_FILE is not set");
  process.stdout.write(
    `${settings.CALLERS_FILE}: ${callers.callers.length} callers with ${callers.keys.size} keys; ` +
      `requests without a key are ${callers.anonymous === undefined ? "refused" : "allowed"}\n`,
  );
  return exitCodes.clean;
}

function printNewKey(expiresAt: string | undefined, inQuery: boolean): number {
  if (expiresAt !== undefined && !isDateTime(expiresAt))
    return fail(`--expires-at must be a date-time such as 2027-01-31T00:00:00Z, got "${expiresAt}"`);
  const { key, entry } = newKey({
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(inQuery && { in_query: true }),
  });
  process.stdout.write(`key    ${key}\nentry  ${JSON.stringify(entry)}\n`);
  return exitCodes.clean;
}

function fail(message: string): number {
  process.stderr.write(`callers: ${message}\n`);
  return exitCodes.settings;
}

process.exit(await runCommand(command, process.argv.slice(2), main));
