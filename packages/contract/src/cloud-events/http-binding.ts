// Attributes of CloudEvents as values of HTTP header fields (CloudEvents 1.0, HTTP Protocol Binding, section 3.1.3.2).

export const HTTP_PREFIX = "ce-";

const QUOTED_STRING = /"((?:[^"\\]|\\.)*)"/g;

/** @returns undefined when the value isn't valid: its percent-encoding is malformed, or a character is not encoded */
export function decodeHeaderValue(value: string): string | undefined {
  if (!/^[\t -~]*$/.test(value)) return undefined;
  const unquoted = value.replace(QUOTED_STRING, (_, content: string) => content.replace(/\\(.)/g, "$1"));
  try {
    return decodeURIComponent(unquoted);
  } catch {
    return undefined;
  }
}

/** @param text an attribute's value, which has no lone surrogate */
export function encodeHeaderValue(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent);
}
