// Locates the elements of a JSON array without parsing it: a parsed body can take thirty times its size in memory, and
// each element is sent on exactly as the caller wrote it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NEAR_BYTES = 24;

/**
 * For each element, its start and end offset, without white space around it.
 * The array is valid JSON if and only if each element is.
 * @param json UTF-8 text
 * @param start the offset of `[`
 * @returns `malformed` when the text is not an array from `[` to its end, whatever the elements are; `too many` as soon
 * as there are more than `max` elements, without reading further
 */
export function elementBounds(json: Buffer, start: number, max: number): number[] | "malformed" | "too many" {
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
    if (json[at] !== CLOSE_BRACKET) return "malformed";
  }
  return skipSpace(json, at + 1, json.length) === json.length ? bounds : "malformed";
}

/** The offset of the comma or bracket after the element. */
function elementEnd(json: Buffer, from: number): number {
  const length = json.length;
  let depth = 0;
  let at = from;
  for (; at < length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) at = stringEnd(json, at + 1);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === COMMA) {
      if (depth === 0) return at;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    }
  }
  return length;
}

/** The offset of the closing quote; the length of `json` when there is none. */
function stringEnd(json: Buffer, from: number): number {
  const length = json.length;
  for (let at = from; ; ) {
    // Most strings are short. The rest of a long one is searched by `indexOf`, which is ten times as fast.
    for (const near = Math.min(length, at + NEAR_BYTES); at < near; at++) {
      const byte = json[at]!;
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at++;
    }
    if (at >= length) return length;
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return length;
    let backslashes = 0;
    while (quote - backslashes > at && json[quote - backslashes - 1] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/** The offset of the first byte that is not white space. Other control characters are left for JSON.parse to reject. */
export function skipSpace(json: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(json[at]!)) at++;
  return at;
}

/** The offset after the last byte that is not white space. */
export function trimEnd(json: Uint8Array, start: number, from: number): number {
  let end = from;
  while (end > start && isSpace(json[end - 1]!)) end--;
  return end;
}

/** RFC 8259, section 2. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
