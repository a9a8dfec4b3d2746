// How deep an event may be nested. Parsers take any depth; what walks over the value later recurses, or takes seconds.
import { Type } from "@sinclair/typebox";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** A setting of producer and consumer. */
export const jsonDepthSettings = {
  MAX_JSON_DEPTH: Type.Integer({
    default: 128,
    minimum: 2,
    maximum: 1_000,
    description:
      "Levels of objects and arrays in an event, the event itself included. Beyond it: the producer responds 422, the consumer makes a dead letter.",
  }),
};

/**
 * Whether objects and arrays in a JSON text are nested deeper than this. One pass that jumps over strings, and none at all
 * over a text that is too short for it. In a text that isn't JSON the result means nothing.
 */
export function isNestedDeeper(text: string, maxDepth: number): boolean {
  if (text.length <= 2 * maxDepth) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > maxDepth) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
    }
  }
  return false;
}

/** The offset of the closing quote; the text's length where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
