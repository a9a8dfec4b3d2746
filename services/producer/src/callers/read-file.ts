// CALLERS_FILE, read from the disk.
import { readFileSync } from "node:fs";
import type { Durability } from "@ingest/contract";
import type { Log } from "@ingest/service";
import { FileProblems, readSettingsFile } from "../file-problems.ts";
import { FileReloader } from "../file-reloader.ts";
import type { CallerDirectory } from "./directory.ts";
import { type Callers, type DurabilityDefaults, parseCallers } from "./parse-file.ts";
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
  const parse = (text: string) => parseCallers(text, toDefaults(settings));
  return readSettingsFile("CALLERS_FILE", settings.CALLERS_FILE, parse);
}

/**
 * In a worker: the callers that its parent uses, from the standard input. A worker that is restarted while the file is
 * invalid has the callers of the others.
 * @returns undefined when CALLERS_FILE is not set
 */
export function readCallersOfParent(settings: CallersFileSettings): Callers | undefined {
  if (settings.CALLERS_FILE === undefined) return undefined;
  const callers = parseCallers(readFileSync(STDIN_FD, "utf8"), toDefaults(settings));
  if (callers instanceof FileProblems) throw new Error("the parent process sent no valid callers");
  return callers;
}

const STDIN_FD = 0;

/** @param settings with CALLERS_FILE */
export function createReloader(
  settings: CallersFileSettings,
  { text }: Callers,
  directory: Pick<CallerDirectory, "replace">,
  log: Log,
): FileReloader<Callers> {
  const parse = (text: string) => parseCallers(text, toDefaults(settings));
  return new FileReloader({
    subject: "callers",
    path: settings.CALLERS_FILE!,
    text,
    parse,
    replace(callers) {
      directory.replace(callers);
      return { callers: callers.callers.length, keys: callers.keys.size };
    },
    log,
  });
}

function toDefaults(settings: CallersFileSettings): DurabilityDefaults {
  return { defaultDurability: settings.DEFAULT_DURABILITY, hasJournal: settings.JOURNAL_ENABLED };
}
