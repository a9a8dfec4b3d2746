// Payloads that one schema allows and another does not: each is found by trying, so each is real.
import { type JsonSchema as FakerSchema, generateSync } from "json-schema-faker";
import type { CompiledSchema } from "../compiled-schema.ts";
import { toProblemErrors } from "../problems.ts";
import { isObject } from "../schema-document.ts";
import { ABSENT, type Candidate, candidatesOf, type Path, Resize } from "./candidates.ts";
import type { PlainSchema } from "./inline.ts";

export interface CounterExample {
  readonly payload: Record<string, unknown>;
  /** The rule of the new schema, as a pointer into it. */
  readonly rule: string;
  /** Where in the event, and what is wrong there. */
  readonly pointer: string;
  readonly message: string;
}

export interface Comparison {
  readonly old: { readonly plain: PlainSchema; isValid(payload: unknown): boolean };
  readonly next: { readonly plain: PlainSchema; readonly compiled: CompiledSchema };
}

const SEEDS = 6;
const MAX_TRIES = 200_000;

/** The smallest example of each rule that refuses something new, and how many payloads were tried. */
export function findCounterExamples({ old, next }: Comparison): {
  examples: CounterExample[];
  tries: number;
} {
  const byRule = new Map<string, CounterExample>();
  let tries = 0;
  const attempt = (payload: unknown): void => {
    tries++;
    if (!isObject(payload) || !old.isValid(payload) || next.compiled.isValid(payload)) return;
    const errors = next.compiled.errorsOf(payload);
    const rule = errors[0]?.schemaPath ?? "#";
    const known = byRule.get(rule);
    if (known !== undefined && sizeOf(known.payload) <= sizeOf(payload)) return;
    const [problem] = toProblemErrors(errors, "/payload");
    byRule.set(rule, {
      payload: structuredClone(payload),
      rule,
      pointer: "/payload",
      message: "is not allowed",
      ...problem,
    });
  };

  const bases = [...fakes(old.plain), ...fakes(next.plain), {}].filter((value) => old.isValid(value));
  const candidates = candidatesOf([old.plain, next.plain], (schema) => fakes(schema, 2));
  for (const base of bases) {
    attempt(base);
    for (const [path, values] of candidates)
      for (const value of values) {
        if (tries >= MAX_TRIES) return { examples: [...byRule.values()], tries };
        attempt(changed(base, path, value));
      }
  }
  return { examples: [...byRule.values()], tries };
}

const sizeOf = (value: unknown) => JSON.stringify(value).length;

/** Values that are likely to be valid: with all members, with the required ones alone, and in between. */
function fakes(schema: PlainSchema, seeds = SEEDS): unknown[] {
  const options = [{ alwaysFakeOptionals: true }, { optionalsProbability: 0 }, { optionalsProbability: 0.5 }];
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) => {
    try {
      return [generateSync(schema as FakerSchema, { seed: seed + 1, ...options[seed % options.length] })];
    } catch {
      // It cannot make a value of every schema.
      return [];
    }
  });
}

/** A copy with another value at the path, whose parents are made where they are missing. */
function changed(value: unknown, path: Path, candidate: Candidate): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return candidate instanceof Resize ? resized(value, candidate.length) : candidate;
  if (typeof name === "number") {
    const copy = Array.isArray(value) ? [...value] : [];
    const element = changed(copy[name], rest, candidate);
    if (element === ABSENT) copy.splice(name, 1);
    else copy[name] = element;
    return copy;
  }
  const copy: Record<string, unknown> = isObject(value) ? { ...value } : {};
  const member = changed(copy[name], rest, candidate);
  if (member === ABSENT) delete copy[name];
  else copy[name] = member;
  return copy;
}

function resized(value: unknown, length: number): unknown {
  const elements: unknown[] = Array.isArray(value) && value.length > 0 ? value : ["a"];
  return Array.from({ length }, (_, index) => elements[Math.min(index, elements.length - 1)]);
}
