// The three ways to run Confluent's client that are compared, each with the folder its JavaScript is loaded from.

import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findNode, nanAddon } from "../kit/nan-addon.ts";
import { benchmarksCache } from "../kit/paths.ts";

export interface Runtime {
  readonly name: string;
  readonly command: string;
  /** What the script requires. */
  readonly client: string;
}

export interface Runtimes {
  readonly found: readonly Runtime[];
  /** Why a runtime isn't among them. */
  readonly missing: readonly string[];
}

const clientName = "@confluentinc/kafka-javascript";
const clientDir = dirname(Bun.resolveSync(`${clientName}/package.json`, import.meta.dir));
const addonFile = "build/Release/confluent-kafka-javascript.node";

/** Finds and, for NAN, builds what this machine can run. */
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

/** A copy of the client's JavaScript with another addon in its place. */
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
  const place = join(modules, clientName, addonFile);
  await mkdir(dirname(place), { recursive: true });
  await copyFile(addon, place);
  return join(modules, clientName);
}
