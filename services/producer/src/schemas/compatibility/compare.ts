// Compares two sets of schemas: for each type, what would newly be refused, by example.
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { compileSchemas } from "../compile.ts";
import type { CompiledSchema } from "../compiled-schema.ts";
import { readSchemaFolder } from "../folder.ts";
import type { SchemaDocument } from "../schema-document.ts";
import { SchemaSet } from "../schema-set.ts";
import { type CounterExample, findCounterExamples } from "./counter-examples.ts";
import { inlineReferences } from "./inline.ts";
import { whyNotWider } from "./wider.ts";

/** Schemas with the documents that they were compiled from. */
export interface LoadedSchemas {
  readonly set: SchemaSet;
  readonly documents: readonly SchemaDocument[];
}

export interface Verdict {
  readonly type: string;
  /** The events that were compared: those that name this version, or those that name none. */
  readonly version: number | undefined;
  /** `refuses`: with examples. `removed`: there is no such schema any more. `accepts`: proven. `undecided`: neither. */
  readonly result: "accepts" | "refuses" | "removed" | "undecided";
  readonly examples: readonly CounterExample[];
  /** When it is undecided: the keyword of the new schema at which the proof ends. */
  readonly undecidedAt?: string;
  /** Payloads that were tried. */
  readonly tries: number;
}

/**
 * @param path a folder, or one file of a folder: its neighbours are read for references alone
 * @throws SchemaError
 */
export function loadSchemas(path: string): LoadedSchemas {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const documents = readSchemaFolder(isFile ? dirname(path) : path);
  const schemas = compileSchemas(documents);
  return {
    set: new SchemaSet(isFile ? schemas.filter(({ source }) => source === basename(path)) : schemas),
    documents,
  };
}

/** Types that are new have no events yet, and are not compared. */
export function compareSchemas(old: LoadedSchemas, next: LoadedSchemas): Verdict[] {
  return old.set.types.flatMap((type) => {
    const versions = old.set.versionsOf(type);
    // Events that name no version, unless they are those that name the newest.
    const isNewestSame = versions.at(-1) === next.set.versionsOf(type).at(-1);
    return [...versions, ...(isNewestSame ? [] : [undefined])].map((version) =>
      compareOne(type, version, old, next),
    );
  });
}

function compareOne(
  type: string,
  version: number | undefined,
  old: LoadedSchemas,
  next: LoadedSchemas,
): Verdict {
  const before = old.set.find(type, version) as CompiledSchema;
  const after = next.set.find(type, version);
  if (typeof after === "string") return { type, version, result: "removed", examples: [], tries: 0 };
  const oldPlain = plainOf(before, old);
  const newPlain = plainOf(after, next);
  const undecidedAt = whyNotWider(oldPlain, newPlain);
  if (undecidedAt === undefined) return { type, version, result: "accepts", examples: [], tries: 0 };
  const { examples, tries } = findCounterExamples({
    old: { plain: oldPlain, isValid: (payload) => before.isValid(payload) },
    next: { plain: newPlain, compiled: after },
  });
  if (examples.length > 0) return { type, version, result: "refuses", examples, tries };
  return { type, version, result: "undecided", examples, undecidedAt, tries };
}

function plainOf({ source }: CompiledSchema, { documents }: LoadedSchemas) {
  return inlineReferences(documents.find((document) => document.source === source)!, documents);
}
