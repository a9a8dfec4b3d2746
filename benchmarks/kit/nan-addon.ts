// Confluent's addon as Confluent builds it, against NAN and V8: what Node's users have, for comparison.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compileAddon, cxxFlags } from "../../packages/kafka-native/build/compile.ts";
import { findLibraries } from "../../packages/kafka-native/build/libraries.ts";
import { buildLibrdkafka } from "../../packages/kafka-native/build/librdkafka.ts";
import {
  addonName,
  cacheDir,
  clientDir,
  librdkafkaSourceDir,
  packageDir,
} from "../../packages/kafka-native/build/paths.ts";
import { createProgress } from "../../packages/kafka-native/build/progress.ts";
import { findToolchain } from "../../packages/kafka-native/build/toolchain.ts";
import {
  findNodeHeaders,
  findNode as findNodeHere,
} from "../../packages/kafka-native/conformance/harness/node.ts";
import { benchmarksCache } from "./paths.ts";

/** Node on this machine: its version and, where they are installed, its C++ headers. */
export interface NodeInstall {
  readonly command: string;
  /** As `20.20.2`. */
  readonly version: string;
  readonly headers: string | undefined;
}

/** @returns undefined when there is none that is new enough */
export function findNode(): NodeInstall | undefined {
  const node = findNodeHere(process.env);
  return node && { ...node, headers: findNodeHeaders(node.command) };
}

/** The addon, or why it cannot be built here. */
export type NanAddon = { readonly path: string } | { readonly missing: string };

/** Builds the addon once for this Node; it links the same librdkafka build as the Node-API addon. */
export async function nanAddon(node: NodeInstall): Promise<NanAddon> {
  if (node.headers === undefined) {
    return { missing: `the headers of Node ${node.version} are not on this machine` };
  }
  const probe = await findToolchain(process.env);
  if ("missing" in probe) return { missing: `this machine has no ${probe.missing.join(", ")}` };
  const cache = benchmarksCache();
  await mkdir(cache, { recursive: true });
  const shared = {
    toolchain: probe.found,
    logFile: join(cache, "nan.log"),
    progress: createProgress(process.stderr),
  };
  const librdkafka = await buildLibrdkafka({
    ...shared,
    libraries: await findLibraries(probe.found),
    isStatic: false,
    cacheRoot: cacheDir(process.env),
    env: process.env,
  });
  const home = join(cache, `nan-${node.version}-${librdkafka.key.slice(0, 12)}`);
  const path = join(home, addonName);
  if (existsSync(path)) return { path };
  await mkdir(home, { recursive: true });
  const sources = readdirSync(join(clientDir, "src")).filter((name) => name.endsWith(".cc"));
  const workDir = join(home, "objects");
  await compileAddon({
    ...shared,
    sources: sources.map((name) => ({ path: join(clientDir, "src", name), flags: ["-w"] })),
    includeDirs: [
      node.headers,
      dirname(Bun.resolveSync("nan/package.json", packageDir)),
      clientDir,
      join(librdkafkaSourceDir, "src"),
      join(librdkafkaSourceDir, "src-cpp"),
    ],
    flags: cxxFlags,
    linkArguments: [...librdkafka.archives, ...librdkafka.linkArguments],
    // The addon registers by a static constructor; newer hosts look for this symbol.
    exportedSymbols: ["node_register_module_*"],
    workDir,
    output: `${path}.partial`,
    label: "compiling the addon with NAN",
  });
  await rm(workDir, { recursive: true });
  await rename(`${path}.partial`, path);
  return { path };
}
