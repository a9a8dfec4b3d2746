// What a service would run with: --check-config and --print-config.
import type { TSchema } from "@sinclair/typebox";
import type { Env } from "./environment.ts";
import { redactUrls } from "./redact-urls.ts";
import { takesFile, toFileName } from "./secret-files.ts";
import { isSecretSetting, REDACTED } from "./secret-settings.ts";

/** The flags of a service about its settings. */
export const configFlags = {
  "check-config": {
    kind: "switch",
    help: "report every problem of the settings, or OK; open no socket (exit code 2 or 0)",
  },
  "print-config": { kind: "switch", help: "the same, and print all settings, with secrets masked" },
} as const;

export interface ConfigReportOptions {
  flags: { readonly [Name in keyof typeof configFlags]: boolean };
  rows: Readonly<Record<string, TSchema>>;
  /** Valid, by name. */
  settings: Readonly<Record<string, unknown>>;
  /** Further ones that are not in `rows`. */
  others: Readonly<Record<string, unknown>>;
  env: Env;
}

/** With one of the flags: prints the report and exits with 0. Call it once all settings have been found valid. */
export async function printConfigAndExit(options: ConfigReportOptions): Promise<void> {
  const { "check-config": isChecked, "print-config": isPrinted } = options.flags;
  if (!isChecked && !isPrinted) return;
  await Bun.write(Bun.stdout, isPrinted ? `${configLines(options).join("\n")}\n` : "OK\n");
  process.exit(0);
}

/** A line per setting: its value, or that it is not set, and where that comes from. Text that .env files can hold. */
export function configLines({ rows, settings, others, env }: Omit<ConfigReportOptions, "flags">): string[] {
  const known = Object.keys(rows).map((name) => [name, settings[name]] as const);
  return [...known, ...Object.entries(others)].map(([name, value]) =>
    value === undefined ? `#${name}= # not set` : `${name}=${shown(name, value)} # ${sourceOf(name, env)}`,
  );
}

function shown(name: string, value: unknown): string {
  return isSecretSetting(name) ? REDACTED : redactUrls(String(value));
}

function sourceOf(name: string, env: Env): string {
  const path = takesFile(name) ? env[toFileName(name)] : undefined;
  if (path) return `file ${path}`;
  return env[name] ? "environment" : "default";
}
