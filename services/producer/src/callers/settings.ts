// Settings about callers.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const callerSettings = {
  CALLERS_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A JSON file of the callers: their keys, and what they may send (docs/callers.md). Without it, anyone may send anything.",
    }),
  ),
  QUOTA_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A SQLite file of what callers with a quota have sent today. By default `quotas.sqlite` in `JOURNAL_DIR`.",
    }),
  ),
  CALLER_HEADER: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description:
        "The name of a record header that holds the id of the event's caller, such as `caller`. Requires CALLERS_FILE.",
    }),
  ),
};
export type CallerSettings = Readonly<Static<TObject<typeof callerSettings>>>;

/** Headers of other meanings, which a caller may choose in part: one of them must not pass for the caller's id. */
const OTHER_HEADERS = /^(?:ce_|dead-letter-|content-type$)/i;

export function checkCallerSettings({
  CALLERS_FILE,
  CALLER_HEADER: header,
}: CallerSettings): SettingProblem[] {
  if (header === undefined) return [];
  const problem = (message: string) => [{ name: "CALLER_HEADER", value: header, message }];
  if (CALLERS_FILE === undefined) return problem("requires CALLERS_FILE: requests have no caller without it");
  return OTHER_HEADERS.test(header)
    ? problem("must not be content-type, or begin with ce_ or dead-letter-: such headers mean something else")
    : [];
}
