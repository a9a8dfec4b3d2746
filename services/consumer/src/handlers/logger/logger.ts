// The default handler: writes one line for each event to standard output.
import type { EventHandler } from "../../handler.ts";
import type { LineWriter } from "../../output/line-writer.ts";
import type { ToLine } from "./line.ts";

/** An event is handled once its line has been written to the file descriptor. */
export function createLogger(output: LineWriter, toLine: ToLine): EventHandler {
  return {
    name: "logger",
    handle(event, context) {
      output.write(toLine(event, context));
    },
    flush: () => output.flush(),
  };
}
