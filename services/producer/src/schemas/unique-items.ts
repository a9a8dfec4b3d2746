// The keyword uniqueItems in linear time: Ajv's own compares each item with each other, so that 60,000 small objects, which
// fit in one event, keep it busy for a minute.
import type { FuncKeywordDefinition } from "ajv";

export const uniqueItems: FuncKeywordDefinition = {
  keyword: "uniqueItems",
  type: "array",
  schemaType: "boolean",
  errors: false,
  error: { message: "must not have duplicate items" },
  validate: (isRequired: boolean, items: readonly unknown[]) => !isRequired || !hasDuplicates(items),
};

function hasDuplicates(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>();
  const seenTexts = new Set<string>();
  return items.some((item) => {
    const isScalar = typeof item !== "object" || item === null;
    const [found, key] = isScalar ? ([seen, item] as const) : ([seenTexts, toCanonicalText(item)] as const);
    return found.size === (found as Set<unknown>).add(key).size;
  });
}

/** The same text for values that are equal: members in the order of their names. */
function toCanonicalText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member !== "object" || member === null || Array.isArray(member)
      ? member
      : Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}
