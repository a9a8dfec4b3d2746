import { describe, expect, test } from "bun:test";
import { MockClient } from "@confluentinc/schemaregistry/dist/mock-schemaregistry-client.js";
import { until } from "@ingest/testkit";
import pino from "pino";
import { readConfig } from "../config.ts";
import { Rejection } from "../rejection.ts";
import type { CompiledSchema } from "./compiled-schema.ts";
import { createEventSchemas } from "./index.ts";
import { createRegistryClient } from "./registry-client.ts";
import { type RegistryClient, RegistrySource, type RegistrySourceOptions } from "./registry-source.ts";
import { startFakeRegistry } from "./testing/fake-registry.ts";

const json = (schema: unknown, references: object[] = []) => ({
  schemaType: "JSON",
  schema: JSON.stringify(schema),
  references: references as never,
});
const order: Record<string, unknown> = {
  type: "object",
  properties: { payload: { type: "object", required: ["id"] } },
};
const log = pino({ level: "silent" });

async function startSource(client: RegistryClient, options: Partial<RegistrySourceOptions> = {}) {
  const seen: (readonly CompiledSchema[])[] = [];
  const failures: unknown[] = [];
  const source = new RegistrySource({
    name: "registry",
    client,
    log,
    subjectPrefix: "",
    refreshMs: 20,
    waits: false,
    ...options,
  });
  await source.start({
    onSchemas: (schemas) => seen.push(schemas),
    onFailure: (error) => failures.push(error),
  });
  const names = () =>
    seen
      .at(-1)!
      .map(({ name }) => `${name.type}@${name.version}`)
      .sort();
  return { seen, failures, names, [Symbol.asyncDispose]: () => source.stop() };
}

describe("with Confluent's mock client", () => {
  test("all versions are read, new ones at the next refresh", async () => {
    const client = new MockClient({ baseURLs: ["mock://"] });
    const id = await client.register("order", json(order));
    await client.register("avro", { schemaType: "AVRO", schema: '"string"' });
    await using source = await startSource(client);
    expect(source.names()).toEqual(["order@1"]);
    const [first] = source.seen[0]!;
    expect(first).toMatchObject({ registryId: id, describes: "event" });
    expect(first!.isValid({ payload: {} })).toBe(false);
    await client.register("order", json({}));
    await until("the new version", () => source.seen.length > 1);
    expect(source.names()).toEqual(["order@1", "order@2"]);
    expect(source.failures).toEqual([]);
  });

  test("references lead to other subjects", async () => {
    const client = new MockClient({ baseURLs: ["mock://"] });
    await client.register("address", json({ properties: { zip: { type: "string" } } }));
    await client.register(
      "order",
      json({ properties: { to: { $ref: "address.json" } } }, [
        { name: "address.json", subject: "address", version: 1 },
      ]),
    );
    await using source = await startSource(client);
    const schema = source.seen[0]!.find(({ name }) => name.type === "order")!;
    expect(schema.isValid({ to: { zip: "1" } })).toBe(true);
    expect(schema.isValid({ to: { zip: 1 } })).toBe(false);
  });

  test("topic_record: the subjects of the topic alone, without its name", async () => {
    const client = new MockClient({ baseURLs: ["mock://"] });
    for (const subject of ["events-order", "other-order", "events-"])
      await client.register(subject, json({}));
    await using source = await startSource(client, { subjectPrefix: "events-" });
    expect(source.names()).toEqual(["order@1"]);
  });

  test("a schema that cannot be used is left out, and reported once", async () => {
    const client = new MockClient({ baseURLs: ["mock://"] });
    await client.register("order", json(order));
    await client.register("broken", json({ type: "strin" }));
    await client.register("remote", json({ $ref: "https://example.com/x" }));
    await using source = await startSource(client);
    expect(source.names()).toEqual(["order@1"]);
    expect(source.failures.map(String).sort()).toEqual([
      expect.stringContaining("broken@1"),
      expect.stringContaining('remote@1/$ref: "https://example.com/x" is neither'),
    ]);
    await client.register("order", json({}));
    await until("a refresh", () => source.seen.length > 1);
    expect(source.failures).toHaveLength(2);
  });
});

describe("over HTTP", () => {
  test("with credentials; while the registry is unavailable the schemas stay; versions are read once", async () => {
    await using registry = startFakeRegistry({ user: "me", password: "secret" });
    registry.register("order", order);
    registry.register("pages/view", {});
    await using source = await startSource(createRegistryClient(registry.url, "me", "secret"));
    expect(source.names()).toEqual(["order@1", "pages/view@1"]);
    registry.isAvailable = false;
    await until("failures", () => source.failures.length > 2);
    expect(source.seen).toHaveLength(1);
    registry.isAvailable = true;
    registry.register("order", {});
    await until("the new version", () => source.seen.length > 1);
    expect(source.names()).toEqual(["order@1", "order@2", "pages/view@1"]);
    expect(registry.requests.filter((path) => path.startsWith("/subjects/order/versions/1"))).toHaveLength(1);
  });

  test("unavailable at the start: an error, or a wait that ends", async () => {
    await using registry = startFakeRegistry({});
    registry.register("order", order);
    registry.isAvailable = false;
    expect(startSource(createRegistryClient(registry.url))).rejects.toThrow("503");
    const waiting = startSource(createRegistryClient(registry.url), { waits: true });
    await until("attempts", () => registry.requests.length >= 2);
    registry.isAvailable = true;
    await using source = await waiting;
    expect(source.names()).toEqual(["order@1"]);
  });
});

test("whole events are checked, as records will contain them; SCHEMA_WIRE_FORMAT writes the id before them", async () => {
  await using registry = startFakeRegistry({});
  const id = registry.register("order", {
    ...order,
    required: ["event_id", "timestamp"],
    additionalProperties: true,
  });
  const { settings } = readConfig({
    SCHEMA_MODE: "enforce",
    SCHEMA_REGISTRY_URL: registry.url,
    SCHEMA_WIRE_FORMAT: "true",
    CLOUDEVENTS_OUTPUT: "event",
  });
  const schemas = (await createEventSchemas(settings, "events", log))!;
  await schemas.start();
  const check = (payload: Record<string, unknown>, event_type = "order") =>
    schemas.toCheck()(
      { id: "generated", key: null, value: '{"ü":1}', receivedMs: 1 },
      { event_type, payload },
    );
  const taken = check({ id: 1 });
  const prefix = [0, 0, 0, 0, id];
  expect(taken).toMatchObject({ value: Buffer.concat([Buffer.from(prefix), Buffer.from('{"ü":1}')]) });
  expect(check({}, "other")).toMatchObject({ value: '{"ü":1}' });
  const rejected = check({});
  expect(rejected).toBeInstanceOf(Rejection);
  expect(rejected).toMatchObject({ more: { errors: [{ pointer: "/payload/id", message: "is required" }] } });
  await schemas.stop();
});

test.each([
  [{ SCHEMA_WIRE_FORMAT: "true" }, "SCHEMA_WIRE_FORMAT"],
  [{ SCHEMA_WIRE_FORMAT: "true", SCHEMA_REGISTRY_URL: "http://r" }, "CLOUDEVENTS_OUTPUT"],
  [
    { SCHEMA_WIRE_FORMAT: "true", SCHEMA_REGISTRY_URL: "http://r", CLOUDEVENTS_OUTPUT: "structured" },
    "must be event with SCHEMA_WIRE_FORMAT",
  ],
  [{ SCHEMA_REGISTRY_URL: "registry:8081" }, "must be an http:// or https:// URL"],
  [{ SCHEMA_REGISTRY_URL: "http://r", SCHEMA_REGISTRY_USER: "me" }, "SCHEMA_REGISTRY_PASSWORD"],
])("%j does not boot", (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});
