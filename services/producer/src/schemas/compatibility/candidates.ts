// Values at the edges of two schemas, by their place in the payload: where one schema allows more than the other, a value
// at an edge usually shows it.
import { isObject } from "../schema-document.ts";
import type { PlainSchema } from "./inline.ts";

export type Path = readonly (string | number)[];

/** Takes a member away. */
export const ABSENT = Symbol("absent");
/** Change what is there: an array one longer than its bounds, or with an element twice. */
export class Resize {
  constructor(readonly length: number) {}
}

export type Candidate = unknown;

/** Of each type. */
const SAMPLES: readonly unknown[] = ["", "a", 0, 1, -1, 0.5, true, false, null, [], {}, ["a"], { a: 1 }];
/** A member that no schema mentions. */
const UNLISTED = "unlisted_member";
/** Longer texts and arrays are not tried. */
const MAX_LENGTH = 10_000;

/** @param fake makes valid values of a subschema */
export function candidatesOf(
  schemas: readonly PlainSchema[],
  fake: (schema: PlainSchema) => readonly unknown[],
): [path: Path, values: Candidate[]][] {
  const found = new Map<string, [Path, Set<Candidate>]>();
  const add = (path: Path, values: readonly Candidate[]) => {
    const key = JSON.stringify(path);
    const entry = found.get(key) ?? [path, new Set<Candidate>()];
    found.set(key, entry);
    for (const value of values) entry[1].add(value);
  };
  const visit = (schema: unknown, path: Path): void => {
    if (path.length > 12) return;
    if (path.length > 0) add(path, [...SAMPLES, ABSENT]);
    if (!isObject(schema)) return;
    add(path, [...edgesOf(schema), ...fake(schema)]);
    for (const keyword of ["allOf", "anyOf", "oneOf"] as const)
      if (Array.isArray(schema[keyword])) for (const branch of schema[keyword]) visit(branch, path);
    for (const keyword of ["if", "then", "else", "not"]) visit(schema[keyword], path);
    if (isObject(schema.properties))
      for (const [name, member] of Object.entries(schema.properties)) visit(member, [...path, name]);
    if (Array.isArray(schema.required))
      for (const name of schema.required)
        if (typeof name === "string") add([...path, name], [ABSENT, ...SAMPLES]);
    if ("properties" in schema || "additionalProperties" in schema || schema.type === "object")
      visit(schema.additionalProperties ?? true, [...path, UNLISTED]);
    if ("items" in schema) visit(schema.items, [...path, 0]);
    if (Array.isArray(schema.prefixItems))
      for (const [index, member] of schema.prefixItems.entries()) visit(member, [...path, index]);
  };
  for (const schema of schemas) visit(schema, []);
  return [...found.values()].map(([path, values]) => [path, [...values]]);
}

function edgesOf(schema: Readonly<Record<string, unknown>>): Candidate[] {
  const edges: Candidate[] = [];
  const number = (keyword: string) => (typeof schema[keyword] === "number" ? [schema[keyword]] : []);
  for (const keyword of ["enum", "examples"] as const)
    if (Array.isArray(schema[keyword])) edges.push(...schema[keyword]);
  for (const keyword of ["const", "default"]) if (keyword in schema) edges.push(schema[keyword]);
  for (const bound of ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].flatMap(
    number,
  ))
    edges.push(bound - 1, bound - 0.5, bound, bound + 0.5, bound + 1, bound * 2);
  for (const length of ["minLength", "maxLength"].flatMap(number))
    edges.push(...around(length).map((count) => "x".repeat(count)));
  for (const length of ["minItems", "maxItems"].flatMap(number))
    edges.push(...around(length).map((count) => new Resize(count)));
  if ("uniqueItems" in schema) edges.push(new Resize(2));
  return edges;
}

function around(length: number): number[] {
  return [length - 1, length, length + 1].filter((count) => count >= 0 && count <= MAX_LENGTH);
}
