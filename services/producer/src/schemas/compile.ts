// Documents → compiled schemas, all or none. This module loads Ajv: import it only where schemas are in use.

import { Ajv as Ajv7, type AnySchema, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { CompiledSchema } from "./compiled-schema.ts";
import { cycleProblems } from "./cycles.ts";
import { resolveReferences } from "./references.ts";
import { isObject, type SchemaDocument, SchemaError, type SchemaProblem } from "./schema-document.ts";
import { uniqueItems } from "./unique-items.ts";
import { escapePointer, subschemas } from "./walk.ts";

type Compiler = Ajv7 | Ajv2020;

/**
 * Strict: a misspelled keyword is a problem. Events are never changed: no defaults, no coercion. Own members alone count:
 * otherwise each object would have a member `constructor`.
 */
const STRICT: Options = {
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  ownProperties: true,
  logger: false,
};
/** For schemas that other programs made, with keywords of their own. */
const LENIENT: Options = { ...STRICT, strictSchema: false };

const DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema";
const DRAFT_07 = "http://json-schema.org/draft-07/schema";

/** Annotations of the authors' own. */
const isAnnotation = (keyword: string) => keyword.startsWith("x-");

/**
 * Compiles a folder's documents, of draft 2020-12, which may refer to each other.
 * @throws SchemaError with all problems that were found
 */
export function compileSchemas(documents: readonly SchemaDocument[]): CompiledSchema[] {
  // A compiler throws at a dialect that it does not know.
  const dialects = dialectProblems(documents);
  const problems =
    dialects.length > 0 ? dialects : keywordProblems(documents, createCompiler(Ajv2020, STRICT));
  if (problems.length > 0) throw new SchemaError(problems);
  return compile(documents, (options) => createCompiler(Ajv2020, { ...STRICT, ...options }));
}

/**
 * Compiles one document of a registry with those that it refers to. Keywords and formats that are not known are ignored.
 * Without `$schema` it is of draft 7, as Confluent's own serializers assume.
 * @throws SchemaError
 */
export function compileLeniently(documents: readonly SchemaDocument[]): CompiledSchema[] {
  const dialect = dialectOf(documents[0]?.schema) ?? DRAFT_07;
  if (dialect !== DRAFT_07 && dialect !== DRAFT_2020_12)
    throw new SchemaError([
      {
        source: documents[0]?.source ?? "",
        pointer: "/$schema",
        message: `${dialect} is not supported: use draft 7 or 2020-12`,
      },
    ]);
  const Draft = dialect === DRAFT_07 ? Ajv7 : Ajv2020;
  return compile(documents, (options) => createCompiler(Draft, { ...LENIENT, ...options }));
}

function createCompiler(Draft: typeof Ajv7 | typeof Ajv2020, options: Options): Compiler {
  const compiler = new Draft(options);
  addFormats(compiler);
  // The format of ajv-formats takes quadratic time: four minutes for a text that fits in one event.
  compiler.addFormat("url", (text) => URL.canParse(text));
  compiler.removeKeyword("uniqueItems").addKeyword(uniqueItems);
  // Ajv resolves it, and calls it unknown.
  compiler.addKeyword("$anchor");
  return compiler;
}

function compile(
  documents: readonly SchemaDocument[],
  create: (options: Options) => Compiler,
): CompiledSchema[] {
  const fast = create({});
  const { problems, aliases } = resolveReferences(documents, (uri) => fast.getSchema(uri) !== undefined);
  const found = [...problems, ...cycleProblems(documents, aliases), ...prototypeProblems(documents)];
  if (found.length > 0) throw new SchemaError(found);
  const keywords = [...annotationsOf(documents)];
  const load = (compiler: Compiler) => {
    compiler.addVocabulary(keywords);
    for (const document of documents) attempt(document, () => add(compiler, document, document.uri));
    for (const [uri, document] of aliases) attempt(document, () => add(compiler, document, uri));
    return compiler;
  };
  load(fast);
  let explaining: Compiler | undefined;
  const compiled = documents.flatMap((document) => {
    const validate = attempt(document, () => validatorOf(fast, document.uri));
    if (document.name === undefined) return [];
    const explain = () => {
      explaining ??= load(create({ allErrors: true }));
      return validatorOf(explaining, document.uri);
    };
    return [new CompiledSchema(document, document.name, validate, explain)];
  });
  return compiled;
}

function add(compiler: Compiler, { schema }: SchemaDocument, uri: string): void {
  compiler.addSchema(schema as AnySchema, uri);
}

function validatorOf(compiler: Compiler, uri: string): ValidateFunction {
  const validate = compiler.getSchema(uri);
  if (validate === undefined) throw new Error("the schema has no validator");
  // Its validator would return a promise.
  if ("$async" in validate) throw new Error("$async is not supported");
  return validate as ValidateFunction;
}

function attempt<T>(document: SchemaDocument, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new SchemaError([toProblem(document, error as Error)]);
  }
}

/** Ajv reports some problems without a place: a reference is found again by its text. */
function toProblem({ source, schema, uri }: SchemaDocument, error: Error): SchemaProblem {
  const { message } = error;
  const missing = /can't resolve reference (\S+)/.exec(message)?.[1];
  for (const { pointer, schema: subschema } of missing === undefined ? [] : subschemas(schema, uri))
    if (typeof subschema.$ref === "string" && missing?.endsWith(subschema.$ref))
      return { source, pointer: `${pointer}/$ref`, message: `"${subschema.$ref}" refers to nothing` };
  return { source, pointer: "", message };
}

function dialectOf(schema: unknown): string | undefined {
  return isObject(schema) && typeof schema.$schema === "string"
    ? schema.$schema.replace(/#$/, "")
    : undefined;
}

function dialectProblems(documents: readonly SchemaDocument[]): SchemaProblem[] {
  return documents.flatMap(({ source, schema }) => {
    const dialect = dialectOf(schema) ?? DRAFT_2020_12;
    return dialect === DRAFT_2020_12
      ? []
      : [{ source, pointer: "/$schema", message: `${dialect} is not supported: write ${DRAFT_2020_12}` }];
  });
}

/** What Ajv reports without a place, or one problem at a time. */
function keywordProblems(documents: readonly SchemaDocument[], compiler: Compiler): SchemaProblem[] {
  return documents.flatMap((document) => {
    const { source, schema, uri } = document;
    const at = (pointer: string, message: string): SchemaProblem => ({ source, pointer, message });
    if (!isObject(schema) && typeof schema !== "boolean")
      return [at("", "must be a JSON Schema: an object, true or false")];
    const problems: SchemaProblem[] = [];
    for (const { pointer, schema: subschema } of subschemas(schema, uri)) {
      for (const keyword of Object.keys(subschema))
        if (compiler.RULES.keywords[keyword] !== true && !isAnnotation(keyword))
          problems.push(
            at(
              `${pointer}/${escapePointer(keyword)}`,
              "is not a keyword of draft 2020-12; begin your own with x-",
            ),
          );
      const { format, pattern, patternProperties } = subschema;
      if (typeof format === "string" && !Object.hasOwn(compiler.formats, format))
        problems.push(at(`${pointer}/format`, `"${format}" is not a format of draft 2020-12`));
      for (const text of [pattern, ...Object.keys(isObject(patternProperties) ? patternProperties : {})]) {
        const reason = typeof text === "string" ? whyNotPattern(text) : undefined;
        const place = text === pattern ? "pattern" : `patternProperties/${escapePointer(String(text))}`;
        if (reason !== undefined) problems.push(at(`${pointer}/${place}`, reason));
      }
    }
    if (problems.length === 0 && compiler.validateSchema(schema) !== true)
      for (const { instancePath, message = "is not valid" } of compiler.errors?.slice(0, 1) ?? [])
        problems.push(at(instancePath, message));
    return problems;
  });
}

/** Ajv ignores the schema of a member with this name. */
function prototypeProblems(documents: readonly SchemaDocument[]): SchemaProblem[] {
  return documents.flatMap(({ source, schema, uri }) =>
    [...subschemas(schema, uri)].flatMap(({ pointer, schema: { properties } }) =>
      isObject(properties) && Object.hasOwn(properties, "__proto__")
        ? [
            {
              source,
              pointer: `${pointer}/properties/__proto__`,
              message: "can't be checked: use propertyNames",
            },
          ]
        : [],
    ),
  );
}

function whyNotPattern(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function annotationsOf(documents: readonly SchemaDocument[]): Set<string> {
  const found = new Set<string>();
  for (const { schema, uri } of documents)
    for (const { schema: subschema } of subschemas(schema, uri))
      for (const keyword of Object.keys(subschema)) if (isAnnotation(keyword)) found.add(keyword);
  return found;
}
