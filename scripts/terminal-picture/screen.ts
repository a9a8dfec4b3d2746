// What a terminal shows over time: each line, and when its text changed.

/** A piece of output and when it came, seconds from the start. */
export interface Chunk {
  readonly at: number;
  readonly text: string;
}

/** The text of one row from `from` until `until`, seconds; the last text of a row has no `until`. */
export interface RowText {
  readonly row: number;
  readonly from: number;
  until?: number;
  text: string;
}

/**
 * Applies output to rows as far as line-oriented programs need it: line feed, carriage return, and text that replaces
 * its row. Colours and other escape sequences are dropped. Two texts of a row closer together than `leastSeconds` are
 * one, the later.
 */
export function toRows(chunks: readonly Chunk[], leastSeconds = 0.1): RowText[] {
  const shown: RowText[] = [];
  const current = new Map<number, RowText>();
  let row = 0;
  let column = 0;

  const show = (at: number, text: string) => {
    const before = current.get(row);
    if (before?.text === text) return;
    if (before !== undefined && at - before.from < leastSeconds) {
      before.text = text;
      return;
    }
    if (before !== undefined) before.until = at;
    const next = { row, from: at, text };
    current.set(row, next);
    shown.push(next);
  };

  for (const { at, text } of chunks) {
    for (const part of Bun.stripANSI(text).split(/(\r\n|\n|\r)/)) {
      if (part === "\n" || part === "\r\n") {
        row += 1;
        column = 0;
      } else if (part === "\r") {
        column = 0;
      } else if (part !== "") {
        const before = column === 0 ? "" : (current.get(row)?.text ?? "");
        column = before.length + part.length;
        show(at, before + part);
      }
    }
  }
  return shown;
}

/** Cuts every pause in the output down to `mostSeconds`. */
export function shortenPauses(chunks: readonly Chunk[], mostSeconds: number): Chunk[] {
  let cut = 0;
  let last = 0;
  return chunks.map(({ at, text }) => {
    cut += Math.max(0, at - last - mostSeconds);
    last = at;
    return { at: at - cut, text };
  });
}
