// The package as it is published: ES modules, declarations, manifest, license and README in one folder.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "bun";
import rootManifest from "../../../package.json";
import manifest from "../package.json";

const source = join(import.meta.dir, "../src");
const root = join(import.meta.dir, "../../..");

/** Each module that programs import, by its name in the published package. */
export const entries = ["index", "indexeddb", "file"] as const;
/** Declarations that those of the entries import. */
const declarations = [...entries, "types"];

/** Writes the package. @param folder is emptied first */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const entry of entries) await Bun.write(join(folder, `${entry}.js`), bundle(entry));
  await writeDeclarations(folder);
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
  await Bun.write(join(folder, "LICENSE"), Bun.file(join(root, "LICENSE")));
  await Bun.write(join(folder, "README.md"), Bun.file(join(import.meta.dir, "../README.md")));
}

/** An entry with all it imports, minified. */
function bundle(entry: (typeof entries)[number]): string {
  const target = entry === "file" ? "node" : "browser";
  return run(["build", join(source, `${entry}.ts`), "--minify", "--format=esm", `--target=${target}`]);
}

/** What a browser loads for an entry, bytes. */
export function gzippedBytes(entry: (typeof entries)[number]): number {
  return gzipSync(Buffer.from(bundle(entry)), { level: 9 }).length;
}

async function writeDeclarations(folder: string): Promise<void> {
  const out = join(folder, ".declarations");
  run([join(root, "node_modules/typescript/bin/tsc"), "-p", import.meta.dir, "--outDir", out]);
  for (const name of declarations) {
    const text = await Bun.file(join(out, `${name}.d.ts`)).text();
    await Bun.write(join(folder, `${name}.d.ts`), text.replaceAll(/(from "\.\/\w+)\.ts"/g, '$1.js"'));
  }
  await rm(out, { recursive: true });
}

function publishedManifest() {
  return {
    name: manifest.name,
    version: rootManifest.version,
    description: "Client of the HTTP to Kafka event producer, for browsers, workers, Bun and Node",
    license: rootManifest.license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./indexeddb": { types: "./indexeddb.d.ts", default: "./indexeddb.js" },
      // A bundle for browsers that imports it fails when it is built.
      "./file": { types: "./file.d.ts", browser: null, bun: "./file.js", node: "./file.js" },
    },
    files: ["*.js", "*.d.ts"],
  };
}

/** Runs Bun. @returns its output @throws Error with its errors */
function run(args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, ...args], { cwd: root });
  if (exitCode !== 0) throw new Error(`bun ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout.toString();
}
