// The setting about routes.
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const routeSettings = {
  ROUTES_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A JSON file of routes: which event types go to which topic (docs/routes.md). Without it, all go to KAFKA_TOPIC.",
    }),
  ),
};
export type RouteSettings = Readonly<Static<TObject<typeof routeSettings>>>;
