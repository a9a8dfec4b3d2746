import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { compileLeniently, compileSchemas } from "./compile.ts";
import { toSchemaName } from "./file-name.ts";
import { readSchemaFolder } from "./folder.ts";
import { toProblemErrors } from "./problems.ts";
import { SchemaError } from "./schema-document.ts";
import { SchemaSet } from "./schema-set.ts";

type Files = Record<string, unknown>;

function load(files: Files): SchemaSet {
  using folder = temporaryFolder("schemas");
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder.path, name),
      typeof content === "string" || content instanceof Buffer ? content : JSON.stringify(content),
    );
  return new SchemaSet(compileSchemas(readSchemaFolder(folder.path)));
}

function problemsOf(files: Files): string[] {
  try {
    load(files);
  } catch (error) {
    if (error instanceof SchemaError)
      return error.problems.map(({ source, pointer, message }) => `${source}${pointer}: ${message}`);
    throw error;
  }
  return [];
}

function find(set: SchemaSet, type: string, version?: number) {
  const found = set.find(type, version);
  if (typeof found === "string") throw new Error(found);
  return found;
}

const id = { type: "object", required: ["id"], properties: { id: { type: "string" } } };

describe("a file's name", () => {
  test.each([
    ["order.created.json", { type: "order.created", version: 1 }],
    ["order.created@12.json", { type: "order.created", version: 12 }],
    ["order@home@2.json", { type: "order@home", version: 2 }],
    ["order@home.json", { type: "order@home", version: 1 }],
    ["pages%2Fview%40x.json", { type: "pages/view@x", version: 1 }],
    ["_address.json", undefined],
  ])("%s", (file, name) => {
    expect(toSchemaName(file)).toEqual(name);
  });

  test.each([
    ["a@0.json", "use @1 or above"],
    ["a%.json", "write %25"],
    ["@2.json", "no event type"],
  ])("%s means nothing", (file, reason) => {
    expect(toSchemaName(file)).toContain(reason);
  });
});

describe("a folder", () => {
  test("without a version the newest schema counts", () => {
    const set = load({
      "a@2.json": id,
      "a@10.json": true,
      "b.json": false,
      ".swp.json": "not read",
      "README.md": "",
    });
    expect(set.types).toEqual(["a", "b"]);
    expect(set.versionsOf("a")).toEqual([2, 10]);
    expect(find(set, "a").name.version).toBe(10);
    expect(find(set, "a", 2).isValid({})).toBe(false);
    expect(set.find("a", 3)).toBe("unknown version");
    expect(set.find("c")).toBe("unknown type");
    expect(set.size).toBe(3);
  });

  test("schemas refer to each other by $id, by file name, and by file name beside an $id", () => {
    const address = { $defs: { zip: { type: "string", pattern: "^\\d+$" } }, type: "object" };
    const set = load({
      "_address.json": address,
      "_money.json": { $id: "https://example.com/money", type: "integer" },
      "order.json": {
        properties: {
          to: { $ref: "_address.json#/$defs/zip" },
          total: { $ref: "https://example.com/money" },
        },
      },
      "invoice.json": {
        $id: "https://example.com/invoice",
        properties: { to: { $ref: "_address.json#/$defs/zip" }, total: { $ref: "money" } },
      },
    });
    for (const type of ["order", "invoice"]) {
      expect(find(set, type).isValid({ to: "12", total: 1 })).toBe(true);
      expect(find(set, type).isValid({ to: "x" })).toBe(false);
      expect(find(set, type).isValid({ total: 1.5 })).toBe(false);
    }
    expect(set.types).toEqual(["invoice", "order"]);
  });

  test("recursive schemas, $dynamicRef, unevaluatedProperties and formats are those of draft 2020-12", () => {
    const set = load({
      "tree.json": {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { at: { format: "date-time" }, children: { items: { $ref: "#" } } },
        unevaluatedProperties: false,
        $comment: "a comment",
        $defs: { name: { $anchor: "name", maxLength: 3 } },
        propertyNames: { anyOf: [{ enum: ["at", "children"] }, { $ref: "#name" }] },
        "x-owner": "team",
      },
    });
    const tree = find(set, "tree");
    expect(tree.isValid({ children: [{ at: "2026-01-01T00:00:00Z" }] })).toBe(true);
    expect(tree.isValid({ children: [{ at: "today" }] })).toBe(false);
    expect(tree.isValid({ children: [{ other: 1 }] })).toBe(false);
  });

  test.each<[string, Files, string[]]>([
    ["not JSON", { "a.json": "{" }, ["a.json: JSON"]],
    ["not UTF-8", { "a.json": Buffer.from('{"const":"\xe9"}', "latin1") }, ["a.json: is not UTF-8"]],
    ["no schema", { "a.json": "7" }, ["a.json: must be a JSON Schema"]],
    [
      "the same name twice",
      { "a.json": true, "a@1.json": true },
      ["a@1.json: is the same type and version as a.json"],
    ],
    [
      "several problems at once",
      { "a.json": { type: "strin" }, "b.json": { properties: { x: { requird: ["y"], format: "nope" } } } },
      [
        "a.json/type: ",
        "b.json/properties/x/requird: is not a keyword",
        'b.json/properties/x/format: "nope" is not a format',
      ],
    ],
    ["a bad pattern", { "a.json": { items: { pattern: "(" } } }, ["a.json/items/pattern: "]],
    [
      "a bad pattern of names",
      { "a.json": { patternProperties: { "[": true } } },
      ["a.json/patternProperties/[: "],
    ],
    [
      "another draft",
      { "a.json": { $schema: "http://json-schema.org/draft-07/schema#" } },
      ["a.json/$schema: "],
    ],
    ["an asynchronous schema", { "a.json": { $async: true } }, ["a.json: $async is not supported"]],
    [
      "a bad value of a keyword",
      { "a.json": { properties: { x: { minimum: "1" } } } },
      ["a.json/properties/x/minimum: "],
    ],
    [
      "a remote reference",
      { "a.json": { properties: { x: { $ref: "https://example.com/other.json" } } } },
      ['a.json/properties/x/$ref: "https://example.com/other.json" is neither'],
    ],
    [
      "a missing file",
      { "a.json": { items: { $ref: "b.json" } } },
      ['a.json/items/$ref: "b.json" is neither'],
    ],
    [
      "a missing definition",
      { "a.json": { items: { $ref: "#/$defs/b" } } },
      ['a.json/items/$ref: "#/$defs/b" refers to nothing'],
    ],
    [
      "files that refer to each other",
      { "a.json": { $ref: "b.json" }, "b.json": { type: "object", allOf: [{ $ref: "a.json" }] } },
      ["b.json/allOf/0/$ref: leads back to a.json for the same value"],
    ],
    [
      "definitions that refer to each other",
      {
        "a.json": {
          $id: "https://x.org/a",
          properties: { x: { $ref: "#/$defs/p%20q" } },
          $defs: {
            "p q": { anyOf: [{ type: "string" }, { $ref: "#b" }] },
            b: { $anchor: "b", if: { $ref: "#/$defs/p%20q" } },
          },
        },
      },
      ["a.json/$defs/b/if/$ref: leads back to a.json/$defs/p q for the same value"],
    ],
    ["a schema that is itself", { "a.json": { $ref: "#" } }, ["a.json/$ref: leads back to a.json "]],
    [
      "a member that Ajv would not check",
      { "a.json": '{"properties":{"__proto__":{"type":"string"}}}' },
      ["a.json/properties/__proto__: can't be checked"],
    ],
    [
      "the same $id twice",
      { "a.json": { $id: "https://x.org/a" }, "b.json": { $id: "https://x.org/a" } },
      ["b.json: "],
    ],
  ])("is not used as a whole: %s", (_, files, expected) => {
    const problems = problemsOf({ ...files, "good.json": true });
    expect(problems).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(problems[index]).toStartWith(text);
  });

  test("members that every object inherits are absent unless an event has them", () => {
    const set = load({
      "a.json": {
        required: ["constructor"],
        properties: { toString: { type: "string" } },
        dependentRequired: { valueOf: ["x"] },
      },
    });
    expect(find(set, "a").isValid({})).toBe(false);
    expect(find(set, "a").isValid({ constructor: 1 })).toBe(true);
    expect(find(set, "a").isValid({ constructor: 1, toString: 1 })).toBe(false);
    expect(find(set, "a").isValid(JSON.parse('{"constructor":1,"valueOf":1}'))).toBe(false);
  });

  test.each<[items: unknown[], isUnique: boolean]>([
    [[1, "1", [1], ["1"], { a: 1 }, { a: "1" }, '{"a":1}', null, "null", [], {}, ""], true],
    [
      [
        { a: 1, b: [{ c: 1, d: 2 }] },
        { b: [{ d: 2, c: 1 }], a: 1 },
      ],
      false,
    ],
    [[{ a: 1 }, [["a", 1]]], true],
    [["__proto__", "__proto__"], false],
    [[0, -0], false],
    [[true, false, true], false],
  ])("uniqueItems: %j: %j", (items, isUnique) => {
    expect(find(load({ "a.json": { uniqueItems: true } }), "a").isValid(items)).toBe(isUnique);
    expect(find(load({ "a.json": { uniqueItems: false } }), "a").isValid(items)).toBe(true);
  });

  test("an event made for it does not keep a check of unique items or URLs busy for minutes", () => {
    const set = load({
      "items.json": { uniqueItems: true },
      "url.json": { format: "url" },
    });
    expect(find(set, "items").isValid(Array.from({ length: 60_000 }, (_, i) => ({ i })))).toBe(true);
    expect(find(set, "url").isValid(`http://${":".repeat(500_000)}`)).toBe(false);
    expect(find(set, "url").isValid("https://example.com/a?b=c")).toBe(true);
  });

  test("a $ref that is data is no reference", () => {
    expect(
      problemsOf({ "a.json": { const: { $ref: "https://example.com" }, properties: { $ref: true } } }),
    ).toEqual([]);
  });

  test("that is missing is named", () => {
    expect(() => readSchemaFolder("/no/such/folder")).toThrow("/no/such/folder");
  });
});

test("a registry's schema is of draft 7 without $schema, and may have other keywords", () => {
  const document = {
    source: "s",
    uri: "schemas:/s",
    name: { type: "t", version: 1 },
    describes: "event",
  } as const;
  const [draft7] = compileLeniently([
    { ...document, schema: { items: [{ type: "string" }], "connect.type": "x", format: "nope" } },
  ]);
  expect(draft7!.isValid([1])).toBe(false);
  const $schema = "https://json-schema.org/draft/2020-12/schema";
  const [draft2020] = compileLeniently([
    { ...document, schema: { $schema, prefixItems: [{ type: "string" }] } },
  ]);
  expect(draft2020!.isValid([1])).toBe(false);
  expect(() =>
    compileLeniently([{ ...document, schema: { $schema: "http://json-schema.org/draft-04/schema#" } }]),
  ).toThrow("draft-04");
});

describe("the problems of an invalid payload", () => {
  const errorsOf = (schema: unknown, payload: unknown) =>
    toProblemErrors(find(load({ "a.json": schema }), "a").errorsOf(payload), "/payload");

  test("each has a pointer into the event, and a sentence", () => {
    const schema = {
      type: "object",
      required: ["id", "currency"],
      additionalProperties: false,
      properties: {
        id: { type: ["string", "integer"] },
        currency: { enum: ["EUR", "USD"] },
        lines: { items: { properties: { "a/b": { minimum: 1 }, kind: { const: "x" } } } },
        nothing: false,
      },
    };
    const payload = { id: null, extra: 1, "x/y": 2, lines: [{}, { "a/b": 0, kind: "y" }], nothing: 1 };
    expect(errorsOf(schema, payload).sort((a, b) => (a.pointer < b.pointer ? -1 : 1))).toEqual([
      { pointer: "/payload/currency", message: "is required" },
      { pointer: "/payload/extra", message: "is not a member that the schema allows" },
      { pointer: "/payload/id", message: "must be of type string or integer" },
      { pointer: "/payload/lines/1/a~1b", message: "must be >= 1" },
      { pointer: "/payload/lines/1/kind", message: 'must be "x"' },
      { pointer: "/payload/nothing", message: "is not allowed" },
      { pointer: "/payload/x~1y", message: "is not a member that the schema allows" },
    ]);
    expect(errorsOf(schema, { id: 1, currency: "GBP" })).toEqual([
      { pointer: "/payload/currency", message: 'must be one of "EUR", "USD"' },
    ]);
  });

  test("a failed condition is told by what it requires", () => {
    const schema: unknown = JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]}}');
    expect(errorsOf(schema, { a: 1 })).toEqual([{ pointer: "/payload/b", message: "is required" }]);
  });

  test("are twenty at most, and one for a payload of very many values", () => {
    const schema = { properties: { list: { items: { type: "string" } } } };
    const list = (length: number) => Array.from({ length }, (_, index) => index);
    expect(errorsOf(schema, { list: list(100) })).toHaveLength(20);
    expect(errorsOf(schema, { list: list(20_000) })).toHaveLength(1);
  });
});
