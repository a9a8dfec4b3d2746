// docs/problems.md, from the table of problems.
import { problems } from "@ingest/contract";

/** docs/problems.md, whole. */
export function problemsPage(): string {
  return [
    "<!-- Written by `bun run generate` from packages/contract/src/problem.ts; change that. -->",
    "# Problems",
    "",
    "Every error response is `application/problem+json` (RFC 9457). Its `code` is one of these, and its `detail` says what to " +
      "change in the request. `GET` the path in its `type` for the cause and remedy below. *Retry* means that the same request can succeed later; 503 carries `Retry-After`.",
    "",
    "| code | status | retry | cause | remedy |",
    "| --- | --- | --- | --- | --- |",
    ...Object.entries(problems).map(
      ([code, { status, title, canRetry, cause, remedy }]) =>
        `| \`${code}\` | ${status} | ${canRetry ? "yes" : "no"} | **${title}.** ${cause} | ${remedy} |`,
    ),
    "",
  ].join("\n");
}
