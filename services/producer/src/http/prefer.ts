// The preferences of a request (RFC 7240, section 2).

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED_STRING = String.raw`"(?:[^"\\]|\\.)*"`;
/** With the blanks behind each part, so that there is only one way to match any text. */
const PARAMETER = `(${TOKEN})[\\t ]*(?:=[\\t ]*(?:(${TOKEN}|${QUOTED_STRING})[\\t ]*)?)?`;
/** One preference with its parameters, up to the next. */
const PREFERENCE = new RegExp(`[\\t ,]*${PARAMETER}(?:;[\\t ]*(?:${PARAMETER})?)*(?:,[\\t ,]*|$)`, "y");

const DOCUMENTED = `${PARAMETER}(?:;[\\t ]*(?:${PARAMETER})?)*`.replaceAll(
  QUOTED_STRING,
  String.raw`"[\t -!#-\[\]-~]*"`,
);
/** What a header that is not malformed matches, for the OpenAPI document; in quotes, only what needs no escaping. */
export const PREFER_PATTERN = `^(?:[\\t ,]*${DOCUMENTED}(?:,[\\t ,]*${DOCUMENTED})*(?:,[\\t ,]*)?)?$`;

/**
 * @param header the `Prefer` header; several are joined by commas
 * @returns names in lower case → values, which are empty where there is none. Of a preference that occurs more than once the
 * first counts, and parameters of preferences are left out. Undefined when the header is malformed
 */
export function parsePrefer(header: string): ReadonlyMap<string, string> | undefined {
  const preferences = new Map<string, string>();
  PREFERENCE.lastIndex = 0;
  while (PREFERENCE.lastIndex < header.length) {
    const match = PREFERENCE.exec(header);
    if (match === null) return undefined;
    const [, name = "", value = ""] = match;
    const key = name.toLowerCase();
    if (!preferences.has(key)) preferences.set(key, unquote(value));
  }
  return preferences;
}

function unquote(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
}
