// A field line, of a head or of a trailer section (RFC 9110, section 5; RFC 9112, section 5).

const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function isFieldName(name: string): boolean {
  return NAME.test(name);
}

/** @param line without its CR LF. Refuses a folded line (obs-fold) and white space before the colon too. */
export function isFieldLine(line: string): boolean {
  const colon = line.indexOf(":");
  return colon > 0 && isFieldName(line.slice(0, colon)) && VALUE.test(line);
}

/** Strips spaces and tabs only: to every other HTTP parser, U+00A0 is part of the value. */
export function trimBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
