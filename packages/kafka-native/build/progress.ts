// Progress on standard error: a line that is updated on a terminal, occasional lines elsewhere.
const quietMs = 10_000;

export interface Progress {
  /** A line of its own. */
  print(line: string): void;
  /** The state of a step with a countable number of parts. */
  step(label: string, done: number, total: number): void;
}

/** `stream` is process.stderr, or a stand-in in tests. */
export function createProgress(stream: { isTTY?: boolean; write(text: string): unknown }): Progress {
  let open = false;
  let lastStep = 0;
  let lastLabel = "";
  const endLine = (): void => {
    if (open) stream.write("\n");
    open = false;
  };
  return {
    print(line) {
      endLine();
      stream.write(`kafka-native: ${line}\n`);
    },
    step(label, done, total) {
      const text = `kafka-native: ${label} ${done}/${total}`;
      if (stream.isTTY) {
        stream.write(`\r${text}`);
        open = true;
        if (done === total) endLine();
        return;
      }
      const isNew = label !== lastLabel;
      if (!isNew && done !== total && Date.now() - lastStep < quietMs) return;
      lastStep = Date.now();
      lastLabel = label;
      stream.write(`${text}\n`);
    },
  };
}
