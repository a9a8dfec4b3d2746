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
};
export type CallerSettings = Readonly<Static<TObject<typeof callerSettings>>>;
