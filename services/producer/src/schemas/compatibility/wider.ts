// Proves, where it can, that a schema allows everything that another one allows.
import { isDeepStrictEqual } from "node:util";
import { isObject } from "../schema-document.ts";
import { RECURSION } from "./inline.ts";

/** Keywords that allow or refuse nothing. */
const ANNOTATIONS = new Set([
  "$comment",
  "$defs",
  "$id",
  "$schema",
  "default",
  "deprecated",
  "description",
  "examples",
  "readOnly",
  "title",
  "writeOnly",
]);
/** In the same words they can still mean something else: it depends on other keywords. */
const DEPENDENT = new Set([
  "$dynamicRef",
  "additionalProperties",
  "contains",
  "items",
  "unevaluatedItems",
  "unevaluatedProperties",
]);
/** A number from which on, or up to which, values are allowed. */
const LOWER_BOUNDS = new Set(["exclusiveMinimum", "minimum", "minItems", "minLength", "minProperties"]);
const UPPER_BOUNDS = new Set(["exclusiveMaximum", "maximum", "maxItems", "maxLength", "maxProperties"]);

type Schema = Readonly<Record<string, unknown>>;

/** @returns undefined when it is proven; else where the proof ends: a pointer into the new schema */
export function whyNotWider(old: unknown, next: unknown, pointer = ""): string | undefined {
  if (old === false || next === true || next === undefined) return undefined;
  if (next === false) return pointer || "/";
  const oldSchema = isObject(old) ? old : {};
  const newSchema = next as Schema;
  for (const [keyword, value] of Object.entries(newSchema)) {
    if (keyword !== RECURSION && (ANNOTATIONS.has(keyword) || keyword.startsWith("x-"))) continue;
    if (!DEPENDENT.has(keyword) && isDeepStrictEqual(oldSchema[keyword], value)) continue;
    const reason = whyKeywordIsNotWider(keyword, oldSchema, newSchema, `${pointer}/${keyword}`);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function whyKeywordIsNotWider(keyword: string, old: Schema, next: Schema, at: string): string | undefined {
  const [before, after] = [old[keyword], next[keyword]];
  const provenIf = (isProven: boolean) => (isProven ? undefined : at);
  if (LOWER_BOUNDS.has(keyword))
    return provenIf(after === 0 || (typeof before === "number" && before >= Number(after)));
  if (UPPER_BOUNDS.has(keyword)) return provenIf(typeof before === "number" && before <= Number(after));
  switch (keyword) {
    case "type":
      return provenIf(
        before !== undefined && typesOf(before).every((type) => allowsType(typesOf(after), type)),
      );
    case "enum":
    case "const": {
      const allowed = valuesOf(next) ?? [];
      const possible = valuesOf(old);
      return provenIf(
        possible?.every((value) => allowed.some((other) => isDeepStrictEqual(value, other))) ?? false,
      );
    }
    case "required":
      return provenIf(Array.isArray(before) && (after as unknown[]).every((name) => before.includes(name)));
    case "items":
      return isDeepStrictEqual(old.prefixItems, next.prefixItems)
        ? whyNotWider(before ?? true, after, at)
        : at;
    case "properties": {
      if (old.patternProperties !== undefined) return at;
      const known = isObject(before) ? before : {};
      for (const [name, member] of Object.entries(after as Schema)) {
        const former = Object.hasOwn(known, name) ? known[name] : (old.additionalProperties ?? true);
        const reason = whyNotWider(former, member, `${at}/${name}`);
        if (reason !== undefined) return reason;
      }
      return undefined;
    }
    case "additionalProperties": {
      if (!isDeepStrictEqual(old.patternProperties, next.patternProperties)) return at;
      const known = isObject(next.properties) ? next.properties : {};
      for (const [name, member] of Object.entries(isObject(old.properties) ? old.properties : {})) {
        const reason = Object.hasOwn(known, name) ? undefined : whyNotWider(member, after, at);
        if (reason !== undefined) return reason;
      }
      return whyNotWider(old.additionalProperties ?? true, after, at);
    }
    default:
      return at;
  }
}

const typesOf = (type: unknown): readonly unknown[] => (Array.isArray(type) ? type : [type]);

function allowsType(types: readonly unknown[], type: unknown): boolean {
  return types.includes(type) || (type === "integer" && types.includes("number"));
}

function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if ("const" in schema) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}
