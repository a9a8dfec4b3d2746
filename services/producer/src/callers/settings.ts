// Settings about callers.
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
