// Where the elements of a JSON array begin and end: before anything is parsed, for what a parser makes of a body can
// take thirty times its size; and so that each element can be passed on as its caller wrote it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The first byte and the byte after the last, for each element in turn; white space around it left out.
 * When each element is JSON by itself then so is the whole array, and the other way round.
 * @param json UTF-8 text
 * @param start where its `[` is
 * @returns `broken` when this is no array from its bracket to the end, whatever its elements are; `too many` as soon as
 * there are more than `max`, without a look at what follows
 */
export function elementBounds(
  json: Uint8Array,
  start: number,
  max: number,
): number[] | "broken" | "too many" {
  const bounds: number[] = [];
  let at = skipSpace(json, start + 1, json.length);
  if (json[at] !== CLOSE_BRACKET) {
    for (;;) {
      if (bounds.length === max * 2) return "too many";
      const end = elementEnd(json, at);
      bounds.push(at, trimEnd(json, at, end));
      at = end;
      if (json[at] !== COMMA) break;
      at = skipSpace(json, at + 1, json.length);
    }
    if (json[at] !== CLOSE_BRACKET) return "broken";
  }
  return skipSpace(json, at + 1, json.length) === json.length ? bounds : "broken";
}

/** Where the comma or bracket is that ends the element. */
function elementEnd(json: Uint8Array, from: number): number {
  const length = json.length;
  let depth = 0;
  let at = from;
  for (; at < length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) {
      for (at++; at < length; at++) {
        const inside = json[at]!;
        if (inside === QUOTE) break;
        if (inside === BACKSLASH) at++;
      }
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === COMMA) {
      if (depth === 0) return at;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    }
  }
  return length;
}

/** The first byte from here on that is not white space; anything else below U+0020 is left for JSON.parse to refuse. */
export function skipSpace(json: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(json[at]!)) at++;
  return at;
}

/** The byte after the last that is not white space. */
export function trimEnd(json: Uint8Array, start: number, from: number): number {
  let end = from;
  while (end > start && isSpace(json[end - 1]!)) end--;
  return end;
}

/** RFC 8259, section 2. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
