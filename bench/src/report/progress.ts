// One line on a terminal that is overwritten during a run.
import type { Progress } from "../run.ts";

/** A stream that may be a terminal: process.stderr. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = "\r\x1b[K";

/** Shows progress on a terminal; prints nothing into a file, a pipe or a CI log. */
export function createProgressLine(terminal: Terminal): { show(progress: Progress): void; clear(): void } {
  if (!terminal.isTTY) return { show() {}, clear() {} };
  return {
    show(progress) {
      terminal.write(CLEAR_LINE + toText(progress).slice(0, (terminal.columns ?? 80) - 1));
    },
    clear() {
      terminal.write(CLEAR_LINE);
    },
  };
}

function toText(progress: Progress): string {
  const time = `${(progress.elapsedMs / 1000).toFixed(1)} s`;
  if (progress.phase === "verifying") {
    return `${time}  verifying: ${number(progress.stored)} of ${number(progress.accepted)} found`;
  }
  return [
    time,
    `${number(progress.requestsPerSecond)} req/s`,
    `accepted ${number(progress.accepted)}`,
    `refused ${number(progress.refused)}`,
    `errors ${number(progress.errors)}`,
    `p99 ${progress.p99Ms.toFixed(1)} ms`,
  ].join("  ");
}

function number(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}
