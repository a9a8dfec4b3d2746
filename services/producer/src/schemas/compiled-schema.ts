// One compiled schema: a fast check that stops at the first problem, and a slow one that lists them for invalid events.
import type { ErrorObject, ValidateFunction } from "ajv";
import type { JsonSchema, SchemaDocument, SchemaName } from "./schema-document.ts";

/** Values with more members and elements than this get their first problem alone: each of them could be one. */
const MAX_EXPLAINED_VALUES = 10_000;

export class CompiledSchema {
  readonly #validate: ValidateFunction;
  readonly #explain: () => ValidateFunction;
  readonly #document: SchemaDocument;

  /** @param explain compiles the check that lists all problems, when it is first needed */
  constructor(
    document: SchemaDocument,
    readonly name: SchemaName,
    validate: ValidateFunction,
    explain: () => ValidateFunction,
  ) {
    this.#document = document;
    this.#validate = validate;
    this.#explain = explain;
  }

  get schema(): JsonSchema {
    return this.#document.schema;
  }

  get source(): string {
    return this.#document.source;
  }

  get describes(): "payload" | "event" {
    return this.#document.describes;
  }

  get registryId(): number | undefined {
    return this.#document.registryId;
  }

  isValid(value: unknown): boolean {
    return this.#validate(value);
  }

  /** Why the value is not valid. */
  errorsOf(value: unknown): readonly ErrorObject[] {
    const validate = isLargerThan(value, MAX_EXPLAINED_VALUES) ? this.#validate : this.#explain();
    return validate(value) ? [] : (validate.errors ?? []);
  }
}

function isLargerThan(value: unknown, max: number): boolean {
  let left = max;
  const count = (current: unknown): boolean => {
    if (left-- <= 0) return true;
    return typeof current === "object" && current !== null && Object.values(current).some(count);
  };
  return count(value);
}
