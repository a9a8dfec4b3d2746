// bun run build:client: writes the package to out/client, from where `npm publish` takes it.
import { join } from "node:path";
import { type Command, runCommand } from "@ingest/cli-flags";
import { buildPackage } from "./package.ts";

const command: Command<Record<never, never>> = {
  name: "bun run build:client",
  about: "Writes the client's package to out/client, from where `npm publish` takes it.",
  flags: {},
};

process.exitCode = await runCommand(command, process.argv.slice(2), async () => {
  const folder = join(import.meta.dir, "../../../out/client");
  await buildPackage(folder);
  console.log(`${folder} written: npm publish ${folder}`);
  return 0;
});
