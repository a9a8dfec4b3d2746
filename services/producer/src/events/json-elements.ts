// Where the elements of a JSON array begin and end: before anything is parsed, for what a parser makes of a body can
// take thirty times its size; and so that each element can be passed on as its caller wrote it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NEAR_BYTES = 24;

/**
 * The first byte and the byte after the last, for each element in turn; white space around it left out.
 * When each element is JSON by itself then so is the whole array, and the other way round.
 * @param json UTF-8 text
 * @param start where its `[` is
 * @returns `broken` when this is no array from its bracket to the end, whatever its elements are; `too many` as soon as
 * there are more than `max`, without a look at what follows
 */
export function elementBounds(json: Buffer, start: number, max: number): number[] | "broken" | "too many" {
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

/** Where the quote is that ends the text; the end of all when there is none. */
function stringEnd(json: Buffer, from: number): number {
  const length = json.length;
  for (let at = from; ; ) {
    // Most texts are short; of a long one the rest is searched by the runtime, ten times as fast.
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
