// The three ways to run Confluent's client that are compared.
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findNode, nanAddon } from "../kit/nan-addon.ts";
import { benchmarksCache } from "../kit/paths.ts";

export interface Runtime {
  readonly name: string;
  readonly command: string;
  /** The folder of the client that is loaded. */
  readonly client: string;
}

export interface Runtimes {
  readonly found: readonly Runtime[];
  /** Why the others cannot run here. */
  readonly missing: readonly string[];
}

const clientName = "@confluentinc/kafka-javascript";
const clientDir = dirname(Bun.resolveSync(`${clientName}/package.json`, import.meta.dir));
const addonFile = "build/Release/confluent-kafka-javascript.node";

/** Finds the runtimes of this machine, and builds the addon with NAN. */
export async function findRuntimes(): Promise<Runtimes> {
  const found: Runtime[] = [
    { name: `Bun ${Bun.version}, Node-API`, command: process.execPath, client: clientDir },
  ];
  const missing: string[] = [];
  const node = findNode();
  if (node === undefined) return { found, missing: ["Node: not on PATH"] };
  found.push({ name: `Node ${node.version}, Node-API`, command: node.command, client: clientDir });
  const nan = await nanAddon(node);
  if ("missing" in nan) missing.push(`Node ${node.version} with NAN: ${nan.missing}`);
  else {
    const client = await withAddon(nan.path, `native-nan-${node.version}`);
    found.push({ name: `Node ${node.version}, NAN`, command: node.command, client });
  }
  return { found, missing };
}

/** Copies the client's JavaScript, with another addon. */
async function withAddon(addon: string, name: string): Promise<string> {
  const modules = join(benchmarksCache(), name, "node_modules");
  await rm(modules, { recursive: true, force: true });
  const installed = join(clientDir, "../..");
  for (const part of [
    `${clientName}/package.json`,
    `${clientName}/lib`,
    `${clientName}/librdkafka.js`,
    "bindings",
    "file-uri-to-path",
  ]) {
    const from = join(installed, part);
    if (!existsSync(from)) throw new Error(`${from} is missing: run \`bun install\``);
    await cp(from, join(modules, part), { recursive: true });
  }
  const target = join(modules, clientName, addonFile);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(addon, target);
  return join(modules, clientName);
}
