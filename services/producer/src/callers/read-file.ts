// CALLERS_FILE, read from the disk.
import type { Durability } from "@ingest/contract";
import { type Log, type SettingProblem, SettingsError } from "@ingest/service";
import { readTextFile } from "../text-file.ts";
import type { CallerDirectory } from "./directory.ts";
import { type Callers, type DurabilityDefaults, FileProblems, parseCallers } from "./parse-file.ts";
import { CallersReloader } from "./reloader.ts";
import type { CallerSettings } from "./settings.ts";

export type CallersFileSettings = CallerSettings & {
  readonly DEFAULT_DURABILITY: Durability;
  readonly JOURNAL_ENABLED: boolean;
};

/**
 * @returns undefined when CALLERS_FILE is not set
 * @throws SettingsError naming every problem of the file
 */
export function readCallers(settings: CallersFileSettings): Callers | undefined {
  const path = settings.CALLERS_FILE;
  if (path === undefined) return undefined;
  const problem = (message: string): SettingProblem => ({ name: "CALLERS_FILE", value: path, message });
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new SettingsError([problem((error as Error).message)]);
  }
  const callers = parseCallers(text, toDefaults(settings));
  if (callers instanceof FileProblems)
    throw new SettingsError(
      callers.problems.map(({ pointer, message }) => problem(`${pointer || "the file"} ${message}`)),
    );
  return callers;
}

/** @param settings with CALLERS_FILE */
export function createReloader(
  settings: CallersFileSettings,
  { text }: Callers,
  directory: CallerDirectory,
  log: Log,
): CallersReloader {
  const parse = (text: string) => parseCallers(text, toDefaults(settings));
  return new CallersReloader({ path: settings.CALLERS_FILE!, text, parse, directory, log });
}

function toDefaults(settings: CallersFileSettings): DurabilityDefaults {
  return { defaultDurability: settings.DEFAULT_DURABILITY, hasJournal: settings.JOURNAL_ENABLED };
}
