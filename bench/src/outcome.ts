// How a run ends for the shell: the exit code and the error message.
import { UsageError } from "@ingest/cli-flags";
import { NothingListensError } from "./http/listening.ts";
import type { Report } from "./report/schema.ts";
import { TopicUnreachableError } from "./verify/event-topic.ts";

/** failed: an event is missing, nothing was accepted, or the verification failed. usage: invalid flags. */
const exitCodes = { ok: 0, failed: 1, usage: 2, nothingListens: 3 } as const;

export function exitCodeOf(report: Report): number {
  const { verification, events } = report;
  if (events.accepted === 0) return exitCodes.failed;
  if (verification !== null && (verification.missing > 0 || !verification.complete)) return exitCodes.failed;
  return exitCodes.ok;
}

/** The report can't be written where --json says. */
class UnwritableReportError extends Error {
  override name = "UnwritableReportError";
}

/** Writes the report as JSON, and creates missing folders. */
export async function writeReport(report: Report, file: string): Promise<void> {
  try {
    await Bun.write(file, `${JSON.stringify(report, null, 2)}\n`);
  } catch (thrown) {
    throw new UnwritableReportError(
      `--json: the report can't be written to ${file}: ${(thrown as Error).message}`,
    );
  }
}

/** @throws every other error: it is a bug of the bench, and its stack trace is needed */
export function explain(thrown: unknown): { message: string; exitCode: number } {
  if (thrown instanceof UsageError) {
    return { message: `${thrown.message}\nAll flags: bun run bench --help`, exitCode: exitCodes.usage };
  }
  if (thrown instanceof NothingListensError) {
    return { message: thrown.message, exitCode: exitCodes.nothingListens };
  }
  if (thrown instanceof TopicUnreachableError || thrown instanceof UnwritableReportError)
    return { message: thrown.message, exitCode: exitCodes.failed };
  throw thrown;
}
