// bun run bench:peers
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "@ingest/cli-flags";
import { toMarkdown } from "./markdown.ts";
import { command, type Options, toOptions } from "./options.ts";
import { compare } from "./run.ts";

/** @returns the exit code: 1 when something was not measured or a sample is void */
async function main(options: Options): Promise<number> {
  if (process.platform !== "linux") {
    console.error("the comparison reads CPU times from /proc: it runs on Linux only");
    return 1;
  }
  const report = await compare(options, (message) => console.error(message));
  const markdown = toMarkdown(report);
  await mkdir(options.out, { recursive: true });
  await writeFile(join(options.out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(options.out, "report.md"), markdown);
  console.log(markdown);
  console.error(`report.json and report.md are in ${options.out}`);
  const hasVoidSample = report.samples.some((sample) => sample.void.length > 0);
  return report.missing.length > 0 || hasVoidSample ? 1 : 0;
}

process.exitCode = await runCommand(command, process.argv.slice(2), ({ values }) => main(toOptions(values)));
