// The problem codes in words: `type` of a problem points to them.
import { problems } from "@ingest/contract";

/** A Markdown table of every code. */
export function codeDescriptions(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title, canRetry }]) =>
      `| \`${code}\` | ${status} | ${title} | ${canRetry ? "yes" : "no"} |`,
  );
  return ["| code | status | meaning | try again later? |", "|---|---|---|---|", ...rows].join("\n");
}
