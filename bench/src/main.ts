// bun run bench
import { helpText } from "@ingest/cli-flags";
import { command } from "./flags.ts";
import { onInterrupts } from "./interrupts.ts";
import { parseOptions } from "./options.ts";
import { exitCodeOf, explain, writeReport } from "./outcome.ts";
import { printReport } from "./report/print.ts";
import { createProgressLine } from "./report/progress.ts";
import { run } from "./run.ts";

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(helpText(command));
    return 0;
  }
  const line = createProgressLine(process.stderr);
  const report = await run(options, { ...onInterrupts(process), onProgress: line.show }).finally(line.clear);
  console.log(printReport(report));
  if (options.jsonFile !== undefined) await writeReport(report, options.jsonFile);
  return exitCodeOf(report);
}

process.exitCode = await main().catch((thrown: unknown) => {
  const { message, exitCode } = explain(thrown);
  console.error(message);
  return exitCode;
});
