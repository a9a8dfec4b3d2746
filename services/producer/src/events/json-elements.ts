// Where the elements of a JSON array begin and end, so that each can be passed on as its caller wrote it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/**
 * The first byte and the byte after the last, for each element in turn; white space around it left out.
 * @param json UTF-8 text that JSON.parse has read as an array of `count` elements: nothing is checked again here
 * @param start where its `[` is
 */
export function elementBounds(json: Uint8Array, start: number, count: number): Uint32Array {
  const bounds = new Uint32Array(count * 2);
  let at = start + 1;
  for (let element = 0; element < count; element++) {
    while (json[at]! <= SPACE) at++;
    bounds[element * 2] = at;
    at = elementEnd(json, at);
    let end = at;
    while (json[end - 1]! <= SPACE) end--;
    bounds[element * 2 + 1] = end;
    at++;
  }
  return bounds;
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
  return at;
}
