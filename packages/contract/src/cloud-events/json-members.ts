// Finds the text of an object's members, so that a value is passed on exactly as it was written: a parsed number may have
// lost digits.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The text of a member's value, without white space around it. Of repeated members the last counts, as for JSON.parse.
 * @param json an object that JSON.parse accepts
 * @returns undefined when there is no such member
 */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let at = json.indexOf("{") + 1;
  for (;;) {
    const keyStart = json.indexOf('"', at);
    // Only an empty object has no member at this place.
    if (keyStart === -1) return found;
    const keyEnd = stringEnd(json, keyStart + 1);
    const start = json.indexOf(":", keyEnd) + 1;
    const end = valueEnd(json, start);
    if (isName(json, keyStart, keyEnd, name)) found = json.slice(start, end).trim();
    if (json.charCodeAt(end) !== COMMA) return found;
    at = end + 1;
  }
}

/** Is the string literal from its quote to the offset after its closing quote this name, escapes included? */
function isName(json: string, start: number, end: number, name: string): boolean {
  const raw = json.slice(start + 1, end - 1);
  return raw === name || (raw.includes("\\") && JSON.parse(json.slice(start, end)) === name);
}

/** The offset after the value that begins at or behind `from`: of the comma or brace that follows it. */
function valueEnd(json: string, from: number): number {
  let depth = 0;
  for (let at = from; ; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(json, at + 1) - 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    } else if (code === COMMA && depth === 0) return at;
  }
}

/** The offset after the closing quote. */
function stringEnd(json: string, from: number): number {
  let at = json.indexOf('"', from);
  for (;;) {
    let backslashes = 0;
    while (json.charCodeAt(at - backslashes - 1) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at + 1;
    at = json.indexOf('"', at + 1);
  }
}
