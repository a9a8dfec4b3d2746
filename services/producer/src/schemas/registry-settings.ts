// A Confluent Schema Registry as a source of schemas.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";

const choice = <const Names extends readonly string[]>(names: Names) =>
  Type.Union(names.map((name) => Type.Literal(name as Names[number])));

export const registrySettings = {
  SCHEMA_REGISTRY_URL: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "A Confluent Schema Registry, such as `https://registry:8081`. Its JSON Schemas describe whole events, as records contain them; types that are in SCHEMA_DIR are taken from there.",
    }),
  ),
  SCHEMA_REGISTRY_USER: Type.Optional(Type.String({ description: "User for the registry (HTTP Basic)." })),
  SCHEMA_REGISTRY_PASSWORD: Type.Optional(Type.String({ description: "Password for the registry." })),
  SCHEMA_REGISTRY_SUBJECT_STRATEGY: {
    ...choice(["record", "topic_record"]),
    default: "record",
    description:
      "The subject of an event type. `record`: the type itself (RecordNameStrategy). `topic_record`: `KAFKA_TOPIC`, a hyphen, and the type (TopicRecordNameStrategy).",
  },
  SCHEMA_REGISTRY_REFRESH_MS: Type.Integer({
    default: 60_000,
    minimum: 100,
    maximum: 86_400_000,
    description: "Time between two looks for new schemas. Each takes one request, and one for each subject.",
  }),
  SCHEMA_REGISTRY_START: {
    ...choice(["wait", "fail"]),
    default: "wait",
    description:
      "When the registry is unavailable at the start: `wait` until it is, without listening; or `fail`. Later the schemas stay in use.",
  },
  SCHEMA_WIRE_FORMAT: Type.Boolean({
    default: false,
    description:
      "Begins each record whose type has a schema in the registry with Confluent's wire format: a zero byte, and the schema's id in four. The consumer reads records with and without it. Requires `CLOUDEVENTS_OUTPUT=event`.",
  }),
};
export type RegistrySettings = Readonly<Static<TObject<typeof registrySettings>>>;

export function checkRegistrySettings(settings: RegistrySettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const {
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_USER: user,
    SCHEMA_REGISTRY_PASSWORD: password,
  } = settings;
  const addProblem = (name: string, value: string | undefined, message: string) =>
    problems.push({ name, value, message });
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    addProblem("SCHEMA_REGISTRY_URL", url, "must be an http:// or https:// URL");
  if (url === undefined && settings.SCHEMA_WIRE_FORMAT)
    addProblem("SCHEMA_WIRE_FORMAT", "true", "requires SCHEMA_REGISTRY_URL: the registry assigns the ids");
  if ((user === undefined) !== (password === undefined))
    addProblem("SCHEMA_REGISTRY_USER", user, "requires SCHEMA_REGISTRY_PASSWORD, and the other way round");
  return problems;
}
