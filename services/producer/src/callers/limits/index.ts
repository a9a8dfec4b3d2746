// The limits of callers in one process, with the file of their quotas.
import { join } from "node:path";
import type { Log } from "@ingest/service";
import { LocalLimiters } from "./limiters.ts";
import { UsageFile } from "./usage-file.ts";

export interface LimitSettings {
  readonly CALLERS_FILE?: string;
  readonly QUOTA_FILE?: string;
  readonly JOURNAL_DIR: string;
}

/** Of the process that keeps the limits: the only one, or the parent of several workers. */
export interface KeptLimits {
  readonly limiters: LocalLimiters;
  readonly file: UsageFile;
  start(): void;
  stop(): void;
}

/** @returns undefined without CALLERS_FILE. Nothing is opened before a caller has a quota */
export function keepLimits(settings: LimitSettings, log: Log): KeptLimits | undefined {
  if (settings.CALLERS_FILE === undefined) return undefined;
  const file = new UsageFile(settings.QUOTA_FILE ?? join(settings.JOURNAL_DIR, "quotas.sqlite"), log);
  const limiters = new LocalLimiters(file);
  return {
    limiters,
    file,
    start: () => limiters.start(),
    stop() {
      limiters.stop();
      file.close();
    },
  };
}
