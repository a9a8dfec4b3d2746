// Schemas by event type: where they come from, and what happens to events that they do not allow.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import type { CloudEventSettings } from "../formats/cloud-events/settings.ts";
import { checkRegistrySettings, registrySettings } from "./registry-settings.ts";

const choice = <const Names extends readonly string[]>(names: Names) =>
  Type.Union(names.map((name) => Type.Literal(name as Names[number])));

export const schemaSettings = {
  SCHEMA_MODE: {
    ...choice(["off", "observe", "enforce"]),
    default: "off",
    description:
      "What happens to events whose payload their type's schema does not allow. `observe`: they are counted, logged and taken. `enforce`: 422. `off`: no schema is loaded.",
  },
  SCHEMA_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A folder of JSON Schemas (draft 2020-12) for payloads, named after event types: `order.created@2.json`. Read at the start and when it changes; docs/schemas.md.",
    }),
  ),
  SCHEMA_UNKNOWN_TYPES: {
    ...choice(["allow", "reject"]),
    default: "allow",
    description:
      "What happens to events whose type has no schema: `allow` takes them, `reject` treats them as `SCHEMA_MODE` says.",
  },
  ...registrySettings,
};
export type SchemaSettings = Readonly<Static<TObject<typeof schemaSettings>>>;

export function checkSchemaSettings(settings: SchemaSettings & CloudEventSettings): SettingProblem[] {
  const {
    SCHEMA_MODE: mode,
    SCHEMA_DIR: dir,
    SCHEMA_REGISTRY_URL: url,
    CLOUDEVENTS_OUTPUT: output,
  } = settings;
  const problems = checkRegistrySettings(settings);
  if (mode !== "off" && dir === undefined && url === undefined)
    problems.push({
      name: "SCHEMA_MODE",
      value: mode,
      message: "requires schemas: set SCHEMA_DIR or SCHEMA_REGISTRY_URL",
    });
  if (settings.SCHEMA_WIRE_FORMAT && output !== "event")
    problems.push({
      name: "CLOUDEVENTS_OUTPUT",
      value: output,
      message:
        "must be event with SCHEMA_WIRE_FORMAT: the registry's schemas describe events of this service, and readers of CloudEvents do not expect the prefix",
    });
  return problems;
}
