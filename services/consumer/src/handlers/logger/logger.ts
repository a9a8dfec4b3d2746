// The default handler: one line an event on standard output.
import type { EventHandler } from "../../handler.ts";
import type { LineWriter } from "../../output/line-writer.ts";
import type { ToLine } from "./line.ts";

/** An event counts as handled once its line is with the operating system. */
export function createLogger(output: LineWriter, toLine: ToLine): EventHandler {
  return {
    name: "logger",
    handle(event, context) {
      output.write(toLine(event, context));
    },
    flush: () => output.flush(),
  };
}
