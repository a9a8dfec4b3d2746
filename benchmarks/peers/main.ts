// bun run bench:peers
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toMarkdown } from "./markdown.ts";
import { parseOptions, UsageError } from "./options.ts";
import { compare } from "./run.ts";

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const options = parseOptions(args);
  if (typeof options === "string") {
    process.stdout.write(options);
    return 0;
  }
  if (process.platform !== "linux") {
    console.error("the comparison reads CPU times from /proc: it runs on Linux only");
    return 2;
  }
  const report = await compare(options, args.includes("--quick"), (message) => console.error(message));
  const markdown = toMarkdown(report);
  await mkdir(options.out, { recursive: true });
  await writeFile(join(options.out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(options.out, "report.md"), markdown);
  console.log(markdown);
  console.error(`report.json and report.md are in ${options.out}`);
  const isVoid = report.samples.some((sample) => sample.void.length > 0);
  return report.missing.length > 0 || isVoid ? 1 : 0;
}

process.exitCode = await main().catch((thrown: unknown) => {
  if (!(thrown instanceof UsageError)) throw thrown;
  console.error(`${thrown.message}\nAll options: bun run bench:peers --help`);
  return 2;
});
