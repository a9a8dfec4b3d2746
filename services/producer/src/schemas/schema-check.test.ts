import { describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventInput } from "@ingest/contract";
import type { Log } from "@ingest/service";
import { temporaryFolder, until } from "@ingest/testkit";
import pino from "pino";
import { readConfig } from "../config.ts";
import type { EncodedEvent } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import { createEventSchemas, type EventSchemas } from "./index.ts";
import type { SchemaSettings } from "./settings.ts";
import { ViolationLog } from "./violation-log.ts";

const order = {
  type: "object",
  required: ["id"],
  properties: { id: { type: "string" }, card: { type: "string", maxLength: 4 } },
};

function logTo(lines: Record<string, unknown>[]): Log {
  return pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line)) });
}

interface Running extends AsyncDisposable {
  schemas: EventSchemas;
  folder: string;
  lines: Record<string, unknown>[];
  write(file: string, schema: unknown): void;
  check(input: EventInput): EncodedEvent | Rejection;
}

async function start(
  settings: Partial<SchemaSettings> = {},
  files: Record<string, unknown> = {},
): Promise<Running> {
  const folder = temporaryFolder("schemas");
  const lines: Record<string, unknown>[] = [];
  const write = (file: string, schema: unknown) =>
    writeFileSync(join(folder.path, file), typeof schema === "string" ? schema : JSON.stringify(schema));
  for (const [file, schema] of Object.entries({ "order@1.json": order, ...files })) write(file, schema);
  const schemas = (await createEventSchemas(
    { ...readConfig({}).settings, SCHEMA_MODE: "enforce", SCHEMA_DIR: folder.path, ...settings },
    "events",
    logTo(lines),
    20,
  ))!;
  await schemas.start();
  const check = schemas.toCheck();
  return {
    schemas,
    folder: folder.path,
    lines,
    write,
    check: (input) =>
      check({ id: "generated", key: null, value: JSON.stringify(input), receivedMs: 1 }, input),
    async [Symbol.asyncDispose]() {
      await schemas.stop();
      folder[Symbol.dispose]();
    },
  };
}

const codeOf = (result: EncodedEvent | Rejection) => (result instanceof Rejection ? result.code : "taken");

describe("enforce", () => {
  test("an event that its schema does not allow is rejected, with its id and its problems", async () => {
    await using running = await start();
    expect(running.check({ event_type: "order", payload: { id: "1" } })).toMatchObject({ id: "generated" });
    const result = running.check({
      event_id: "mine",
      event_type: "order",
      payload: { id: 1, card: "12345" },
    });
    expect(result).toMatchObject({
      code: "schema_violation",
      detail: "/payload/id must be of type string.",
      more: {
        eventId: "mine",
        errors: [
          { pointer: "/payload/id", message: "must be of type string" },
          { pointer: "/payload/card", message: "must NOT have more than 4 characters" },
        ],
      },
    });
    expect(running.schemas.check.counts).toEqual({
      valid: 1,
      invalid: 1,
      unknown_type: 0,
      unknown_version: 0,
    });
    expect(running.schemas.check.invalidByType).toEqual({ order: 1 });
  });

  test("an event without payload is checked as one with an empty payload", async () => {
    await using running = await start({}, { "ping.json": { type: "object" } });
    expect(running.check({ event_type: "order" })).toMatchObject({
      more: { errors: [{ pointer: "/payload/id", message: "is required" }] },
    });
    expect(codeOf(running.check({ event_type: "ping" }))).toBe("taken");
  });

  test("the version is the event's, else the newest", async () => {
    await using running = await start({}, { "order@2.json": { required: ["number"] } });
    expect(codeOf(running.check({ event_type: "order", payload: { id: "1" } }))).toBe("schema_violation");
    expect(codeOf(running.check({ event_type: "order", schema_version: 1, payload: { id: "1" } }))).toBe(
      "taken",
    );
    expect(running.check({ event_type: "order", schema_version: 3 })).toMatchObject({
      code: "schema_violation",
      more: {
        errors: [
          { pointer: "/schema_version", message: "has no schema of this version; known versions: 1, 2" },
        ],
      },
    });
  });

  test.each([
    ["allow", "taken"],
    ["reject", "unknown_event_type"],
  ] as const)("SCHEMA_UNKNOWN_TYPES=%s: an event of another type is %s", async (unknownTypes, expected) => {
    await using running = await start({ SCHEMA_UNKNOWN_TYPES: unknownTypes });
    for (const event_type of ["refund", "constructor", "__proto__"])
      expect(codeOf(running.check({ event_type }))).toBe(expected);
    expect(running.schemas.check.counts.unknown_type).toBe(3);
  });
});

describe("observe", () => {
  test("takes and counts them, and logs one line for a type, without anything of the event", async () => {
    await using running = await start({ SCHEMA_MODE: "observe", SCHEMA_UNKNOWN_TYPES: "reject" });
    for (let n = 0; n < 50; n++) {
      expect(codeOf(running.check({ event_type: "order", payload: { id: 1, card: "secret-4711" } }))).toBe(
        "taken",
      );
      expect(codeOf(running.check({ event_type: `secret-type-${n}` }))).toBe("taken");
    }
    expect(codeOf(running.check({ event_type: "order", schema_version: 9 }))).toBe("taken");
    expect(running.schemas.check.counts).toMatchObject({ invalid: 50, unknown_type: 50, unknown_version: 1 });
    const warnings = running.lines.filter(({ level }) => level === 40);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatchObject({
      msg: "events violate their schema",
      event_type: "order",
      schema_version: 1,
      events: 1,
      rules: [
        { keyword: "type", schema: "#/properties/id/type" },
        { keyword: "maxLength", schema: "#/properties/card/maxLength" },
      ],
    });
    expect(JSON.stringify(running.lines)).not.toContain("secret");
  });

  test("a later line says how many events it stands for", () => {
    const lines: Record<string, unknown>[] = [];
    let nowMs = 0;
    const violations = new ViolationLog(logTo(lines), () => nowMs);
    const violation = { type: "order", version: 1, source: "order@1.json", errors: () => [] };
    for (let n = 0; n < 10; n++) violations.onViolation(violation);
    nowMs = 60_000;
    violations.onViolation(violation);
    expect(lines.map(({ events }) => events)).toEqual([1, 10]);
  });
});

describe("a change of the folder", () => {
  const isStrict = ({ check }: Running) =>
    codeOf(check({ event_type: "order", payload: { id: "1" } })) !== "taken";

  test("is used once it is complete; a folder that cannot be used changes nothing, is counted and logged", async () => {
    await using running = await start();
    running.write("order@2.json", { required: ["number"], properties: { number: { type: "strin" } } });
    await until("the failure", () => running.schemas.loads.failed === 1);
    expect(isStrict(running)).toBe(false);
    expect(running.lines.find(({ level }) => level === 50)).toMatchObject({
      msg: "schemas not loaded: the former ones stay in use",
      problems: [{ source: "order@2.json", pointer: "/properties/number/type" }],
    });
    running.write("order@2.json", { required: ["number"] });
    await until("the new schema", () => isStrict(running));
    expect(running.schemas.loads).toEqual({ loaded: 2, failed: 1 });
    rmSync(join(running.folder, "order@2.json"));
    await until("the former schema", () => !isStrict(running));
  });

  test("a folder that vanishes and comes back is noticed, also one behind a link", async () => {
    using base = temporaryFolder("schemas");
    const at = (name: string) => join(base.path, name);
    for (const [name, schema] of [
      ["v1", order],
      ["v2", false],
    ] as const) {
      mkdirSync(at(name));
      writeFileSync(join(at(name), "order.json"), JSON.stringify(schema));
    }
    symlinkSync("v1", at("now"));
    await using running = await start({ SCHEMA_DIR: at("now") });
    symlinkSync("v2", at("next"));
    renameSync(at("next"), at("now"));
    await until("the other folder", () => isStrict(running));
    rmSync(at("now"));
    await until("the failure", () => running.schemas.loads.failed === 1);
    expect(isStrict(running)).toBe(true);
  });
});

test("a folder that cannot be used at the start is an error with every problem", async () => {
  expect(start({}, { "a.json": "{", "b@0.json": true })).rejects.toThrow(/a\.json: .*\nb@0\.json: /);
});

test("without schemas nothing is checked", async () => {
  const log = pino({ level: "silent" });
  expect(
    await createEventSchemas(readConfig({ SCHEMA_DIR: "/no/such" }).settings, "events", log),
  ).toBeUndefined();
});

test("a mode without schemas does not boot", () => {
  expect(() => readConfig({ SCHEMA_MODE: "enforce" })).toThrow("requires schemas: set SCHEMA_DIR");
});

test.each([
  ["server.ts", []],
  ["schemas/folder-source.ts", ["ajv"]],
  ["schemas/registry-client.ts", ["@confluentinc/schemaregistry"]],
])("%s loads %j, and without schemas nothing of it is loaded", (file, expected) => {
  const script = `await import(${JSON.stringify(join(import.meta.dir, "..", file))});
    const loaded = Object.keys(require.cache).map((path) => /node_modules.(ajv|@confluentinc.schemaregistry)./.exec(path)?.[1]);
    console.log(JSON.stringify([...new Set(loaded.filter(Boolean))]));`;
  const run = Bun.spawnSync([process.execPath, "-e", script]);
  expect(JSON.parse(run.stdout.toString())).toEqual(expected);
});
