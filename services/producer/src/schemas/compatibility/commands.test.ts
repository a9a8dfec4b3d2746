import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random, temporaryFolder } from "@ingest/testkit";
import { compileSchemas } from "../compile.ts";
import { check, testEvents, validate } from "./commands.ts";
import { compareSchemas, loadSchemas } from "./compare.ts";
import { findCounterExamples } from "./counter-examples.ts";
import { whyNotWider } from "./wider.ts";

type Files = Record<string, unknown>;

function withFolders<T>(folders: readonly Files[], run: (...paths: string[]) => T): T {
  using base = temporaryFolder("schemas");
  const paths = folders.map((files, index) => {
    const folder = join(base.path, String(index));
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
    }
    return folder;
  });
  return run(...paths);
}

/** The verdict on one schema that is replaced by another, whose examples are proven to be real. */
function compare(old: unknown, next: unknown, others: Files = {}) {
  return withFolders(
    [
      { "a.json": old, ...others },
      { "a.json": next, ...others },
    ],
    (oldPath, newPath) => {
      const [before, after] = [loadSchemas(oldPath!), loadSchemas(newPath!)];
      const verdict = compareSchemas(before, after).find(({ type }) => type === "a")!;
      for (const { payload } of verdict.examples) {
        expect(JSON.parse(JSON.stringify(payload))).toEqual(payload);
        const isValid = (schemas: typeof before) => {
          const found = schemas.set.find("a");
          return typeof found !== "string" && found.isValid(payload);
        };
        expect({ payload, old: isValid(before), next: isValid(after) }).toEqual({
          payload,
          old: true,
          next: false,
        });
      }
      return verdict;
    },
  );
}

const object = (properties: object, more: object = {}): Record<string, unknown> => ({
  type: "object",
  properties,
  ...more,
});
const text = { type: "string" };

describe("what is newly refused is shown by an example, with the rule", () => {
  test.each<[what: string, old: unknown, next: unknown, rule: string, pointer: string]>([
    [
      "a member that is required now",
      object({ a: text }),
      object({ a: text }, { required: ["a"] }),
      "#/required",
      "/payload/a",
    ],
    [
      "a narrower type",
      object({ a: { type: ["string", "null"] } }),
      object({ a: text }),
      "#/properties/a/type",
      "/payload/a",
    ],
    [
      "a value taken from an enum",
      object({ a: { enum: [1, 2] } }),
      object({ a: { enum: [1] } }),
      "#/properties/a/enum",
      "/payload/a",
    ],
    [
      "another constant",
      object({ a: { const: 1 } }),
      object({ a: { const: 2 } }),
      "#/properties/a/const",
      "/payload/a",
    ],
    [
      "members that are closed",
      object({ a: text }),
      object({ a: text }, { additionalProperties: false }),
      "#/additionalProperties",
      "/payload/unlisted_member",
    ],
    [
      "a member that is no longer listed",
      object({ a: text, b: text }, { additionalProperties: false }),
      object({ a: text }, { additionalProperties: false }),
      "#/additionalProperties",
      "/payload/b",
    ],
    [
      "a type for a member that had none",
      object({}),
      object({ a: text }),
      "#/properties/a/type",
      "/payload/a",
    ],
    [
      "a higher minimum",
      object({ a: { type: "integer", minimum: 1 } }),
      object({ a: { type: "integer", minimum: 2 } }),
      "#/properties/a/minimum",
      "/payload/a",
    ],
    [
      "an exclusive maximum",
      object({ a: { maximum: 5 } }),
      object({ a: { exclusiveMaximum: 5 } }),
      "#/properties/a/exclusiveMaximum",
      "/payload/a",
    ],
    [
      "integers alone",
      object({ a: { type: "number" } }),
      object({ a: { type: "integer" } }),
      "#/properties/a/type",
      "/payload/a",
    ],
    [
      "multiples alone",
      object({ a: { type: "integer" } }),
      object({ a: { type: "integer", multipleOf: 10 } }),
      "#/properties/a/multipleOf",
      "/payload/a",
    ],
    [
      "a shorter text",
      object({ a: { type: "string", maxLength: 20 } }),
      object({ a: { type: "string", maxLength: 10 } }),
      "#/properties/a/maxLength",
      "/payload/a",
    ],
    [
      "a pattern",
      object({ a: text }),
      object({ a: { type: "string", pattern: "^\\d+$" } }),
      "#/properties/a/pattern",
      "/payload/a",
    ],
    [
      "a format",
      object({ a: text }),
      object({ a: { type: "string", format: "date-time" } }),
      "#/properties/a/format",
      "/payload/a",
    ],
    [
      "fewer elements",
      object({ a: { type: "array" } }),
      object({ a: { type: "array", maxItems: 2 } }),
      "#/properties/a/maxItems",
      "/payload/a",
    ],
    [
      "unique elements",
      object({ a: { type: "array" } }),
      object({ a: { type: "array", uniqueItems: true } }),
      "#/properties/a/uniqueItems",
      "/payload/a",
    ],
    [
      "a member deep within",
      object({ a: { type: "array", items: object({ b: object({ c: text }) }) } }),
      object({ a: { type: "array", items: object({ b: object({ c: { type: "integer" } }) }) } }),
      "#/properties/a/items/properties/b/properties/c/type",
      "/payload/a/0/b/c",
    ],
    [
      "a branch that is gone",
      object({ a: { anyOf: [text, { type: "integer" }] } }),
      object({ a: { anyOf: [text, { type: "boolean" }] } }),
      "#/properties/a/anyOf/0/type",
      "/payload/a",
    ],
  ])("%s", (_, old, next, rule, pointer) => {
    const { result, examples } = compare(old, next);
    expect(result).toBe("refuses");
    expect(examples.map((example) => [example.rule, example.pointer])).toContainEqual([rule, pointer]);
  });

  test("a definition of another file, by its name", () => {
    using base = temporaryFolder("schemas");
    for (const [folder, zip] of [
      ["old", {}],
      ["new", { pattern: "^\\d{5}$" }],
    ] as const) {
      mkdirSync(join(base.path, folder));
      writeFileSync(
        join(base.path, folder, "_address.json"),
        JSON.stringify({ $defs: { zip: { ...text, ...zip } } }),
      );
      writeFileSync(
        join(base.path, folder, "order.json"),
        JSON.stringify(object({ to: { $ref: "_address.json#/$defs/zip" } })),
      );
    }
    const { exitCode, text: output } = check(join(base.path, "old"), join(base.path, "new"), false);
    expect(exitCode).toBe(1);
    expect(output).toContain("/payload/to must match pattern");
    expect(output).toContain('{"event_type":"order","schema_version":1,"payload":{"to":');
  });
});

describe("what is proven to accept all that it accepted", () => {
  test.each<[what: string, old: unknown, next: unknown]>([
    ["the same", object({ a: text }), object({ a: text })],
    ["other words", object({ a: text }), { ...object({ a: text }), title: "A", "x-owner": "team" }],
    [
      "an optional member of a closed schema",
      object({ a: text }, { additionalProperties: false }),
      object({ a: text, b: text }, { additionalProperties: false }),
    ],
    ["a member that is no longer required", object({ a: text }, { required: ["a"] }), object({ a: text })],
    [
      "wider bounds, types and values",
      object({ a: { type: "integer", minimum: 2 }, b: { enum: [1] } }),
      object({ a: { type: "number", minimum: 1 }, b: { enum: [1, 2] } }),
    ],
    ["anything", object({ a: text }, { required: ["a"] }), true],
    [
      "a recursive schema with a wider part",
      { ...object({ children: { type: "array", items: { $ref: "#" } }, n: { maximum: 1 } }) },
      { ...object({ children: { type: "array", items: { $ref: "#" } }, n: { maximum: 2 } }) },
    ],
  ])("%s", (_, old, next) => {
    expect(compare(old, next).result).toBe("accepts");
  });
});

test("what it can neither show nor prove is called undecided, with the place", () => {
  const verdict = compare(
    object({ a: { type: "string", pattern: "^[a-z]+$" } }),
    object({ a: { type: "string", pattern: "^(?:[a-z]+)$" } }),
  );
  expect(verdict).toMatchObject({ result: "undecided", undecidedAt: "/properties/a/pattern" });
  expect(verdict.tries).toBeGreaterThan(100);
});

test("no example contradicts a proof, whatever the schemas", () => {
  const random = new Random(11);
  const pick = <T>(list: readonly T[]) => list[random.below(list.length)]!;
  const schema = (depth: number): Record<string, unknown> => {
    const made: Record<string, unknown> = {};
    const maybe = (keyword: string, value: unknown) => {
      if (random.below(3) === 0) made[keyword] = value;
    };
    maybe("type", pick(["string", "integer", "number", "object", "array", ["string", "null"]]));
    maybe("minimum", random.below(3));
    maybe("maxLength", random.below(3));
    maybe("enum", [pick([0, 1, "a", null]), 2]);
    if (depth > 0) {
      maybe("properties", { a: schema(depth - 1), b: schema(depth - 1) });
      maybe("additionalProperties", pick([true, false, schema(depth - 1)]));
      maybe("required", pick([["a"], ["b"], ["a", "b"]]));
      maybe("items", schema(depth - 1));
      maybe("prefixItems", [schema(depth - 1)]);
      maybe("anyOf", [schema(depth - 1), schema(depth - 1)]);
    }
    return made;
  };
  let proven = 0;
  for (let round = 0; proven < 20; round++) {
    const [a, b] = [schema(1), schema(1)];
    const { [pick(Object.keys(b))]: _removed, ...wider } = b;
    const old = object({ a, b });
    const next = object({ a: round % 2 === 0 ? a : schema(1), b: round % 3 === 0 ? schema(1) : wider });
    if (whyNotWider(old, next) !== undefined) continue;
    proven++;
    const document = { source: "a.json", uri: "schemas:/a.json", name: { type: "a", version: 1 } };
    const compile = (compiled: object) =>
      compileSchemas([
        { ...document, schema: compiled as Record<string, unknown>, describes: "payload" },
      ])[0]!;
    const before = compile(old);
    const { examples } = findCounterExamples({
      old: { plain: old, isValid: (payload) => before.isValid(payload) },
      next: { plain: next, compiled: compile(next) },
    });
    expect({ old, next, examples }).toEqual({ old, next, examples: [] });
  }
}, 30_000);

describe("versions and types", () => {
  test("events without a version are compared with the newest of each side", () => {
    const old = { "a@1.json": object({ x: text }) };
    const next = { ...old, "a@2.json": object({ x: text }, { required: ["x"] }), "b.json": false };
    const { exitCode, text: output } = withFolders([old, next], (before, after) =>
      check(before!, after!, false),
    );
    expect(exitCode).toBe(1);
    expect(output.split("\n")).toEqual([
      "a, version 1: accepts all that it accepted",
      "a, events without schema_version: NEWLY REFUSED",
      "  /payload/x is required (#/required)",
      '    {"event_type":"a","payload":{}}',
      "b: new, and not compared",
      "newly refused: 1 of 2",
    ]);
  });

  test.each([
    [{ "b.json": true }, false, 0],
    [{ "b.json": true }, true, 1],
    [{ "a@2.json": true }, false, 1],
  ])("a schema that was removed: %j, reject unknown types %p → %d", (next, rejects, exitCode) => {
    const result = withFolders([{ "a.json": true }, next], (before, after) =>
      check(before!, after!, rejects),
    );
    expect(result.exitCode).toBe(exitCode);
    expect(result.text).toContain("removed");
  });
});

test("validate and test: what the producer would say", () => {
  const files = { "a.json": object({ x: text }, { required: ["x"] }) };
  expect(withFolders([files], (path) => validate(path!))).toEqual({
    text: "1 schemas of 1 event types",
    exitCode: 0,
  });
  const bad = withFolders([{ "a.json": { type: "strin" } }], (path) => validate(path!));
  expect(bad.exitCode).toBe(1);
  expect(bad.text).toStartWith("a.json/type: ");
  const events = [
    '{"event_type":"a","payload":{"x":"1"}}',
    "",
    '{"event_type":"a"}',
    "{",
    '{"event_type":1}',
    '{"event_type":"b"}',
  ];
  const tested = withFolders([files, { "events.ndjson": events.join("\n") }], (path, folder) =>
    testEvents(path!, join(folder!, "events.ndjson")),
  );
  expect(tested.exitCode).toBe(1);
  expect(tested.text.split("\n")).toEqual([
    "line 3: /payload/x is required",
    expect.stringContaining("line 4: not JSON"),
    "line 5: /event_type must be a string, got a number",
    "5 events, 3 problems",
  ]);
});

test.each([
  [["check", "/tmp"], 2, "check OLD NEW"],
  [["other", "/tmp", "/tmp"], 2, "check OLD NEW"],
  [["check", "/no/such", "/tmp"], 2, "/no/such does not exist"],
  [[], 2, "needs"],
])("bun run schemas %p: exit code %d", (args, exitCode, message) => {
  const program = join(import.meta.dir, "../../schemas.ts");
  const run = Bun.spawnSync([process.execPath, program, ...args]);
  expect(run.exitCode).toBe(exitCode);
  expect(run.stderr.toString()).toContain(message);
});
