// bun run build:client: writes the package to out/client, from where `npm publish` takes it.
import { join } from "node:path";
import { buildPackage } from "./package.ts";

const folder = join(import.meta.dir, "../../../out/client");
await buildPackage(folder);
console.log(`${folder} written: npm publish ${folder}`);
