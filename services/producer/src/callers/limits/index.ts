// The limits of callers in one process, with the file of their quotas.
import { join } from "node:path";
import type { Log } from "@ingest/service";
import type { Callers } from "../parse-file.ts";
import { LocalLimiters } from "./limiters.ts";
import { UsageFile } from "./usage-file.ts";

export interface LimitSettings {
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

/**
 * The file is opened when a caller has a quota.
 * @param callers of the file as it is now; undefined without CALLERS_FILE
 */
export function keepLimits(
  settings: LimitSettings,
  callers: Pick<Callers, "callers" | "anonymous"> | undefined,
  log: Log,
): KeptLimits | undefined {
  if (callers === undefined) return undefined;
  const file = new UsageFile(settings.QUOTA_FILE ?? join(settings.JOURNAL_DIR, "quotas.sqlite"), log);
  const limiters = new LocalLimiters(file);
  // Their quotas are in the metrics from the start.
  for (const caller of [...callers.callers, ...(callers.anonymous ? [callers.anonymous] : [])])
    limiters.of(caller);
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
