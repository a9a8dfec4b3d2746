// Builds Confluent's addon: its own C++ against this package's headers, with librdkafka linked in.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { type Env, runOrThrow } from "./command.ts";
import { compileAddon, cxxFlags } from "./compile.ts";
import { hashInputs } from "./inputs.ts";
import { findLibraries } from "./libraries.ts";
import { buildLibrdkafka, librdkafkaSources } from "./librdkafka.ts";
import { addonName, clientDir, librdkafkaSourceDir, nodeApiHeadersDir, packageDir } from "./paths.ts";
import type { Progress } from "./progress.ts";
import type { Toolchain } from "./toolchain.ts";

/** What an addon was built from and with; kept beside it. */
export interface Manifest {
  /** Hash of all inputs. */
  key: string;
  /** librdkafka's version. */
  librdkafka: string;
  /** librdkafka's `builtin.features`. */
  features: string[];
  /** Whether OpenSSL, zlib and zstd were to be linked statically. */
  isStatic: boolean;
  compiler: string;
}

export interface AddonOptions {
  toolchain: Toolchain;
  isStatic: boolean;
  cacheRoot: string;
  logFile: string;
  progress: Progress;
  env: Env;
}

export interface AddonBuild {
  path: string;
  manifest: Manifest;
}

// Confluent's sources, which are not to be changed, draw these.
const clientFlags = ["-w"];
const ownFlags = ["-Wall", "-Wextra"];
/** This package's own C++: the headers' other half, and what the addon offers beside Confluent's names. */
const ownFolders = ["shim", "outbox", "admin", "guards"];

function cxxSources(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".cc"))
    .sort()
    .map((name) => join(dir, name));
}

/** The addon's sources, and the folders of their headers. */
export function addonSources(): {
  sources: { path: string; flags: readonly string[] }[];
  includeDirs: string[];
} {
  return {
    sources: [
      ...cxxSources(join(clientDir, "src")).map((path) => ({ path, flags: clientFlags })),
      ...ownFolders.flatMap((name) =>
        cxxSources(join(packageDir, name)).map((path) => ({ path, flags: ownFlags })),
      ),
    ],
    // This package's nan.h, v8.h, node.h and uv.h have to be found first.
    includeDirs: [
      join(packageDir, "include"),
      nodeApiHeadersDir,
      clientDir,
      join(librdkafkaSourceDir, "src"),
      join(librdkafkaSourceDir, "src-cpp"),
    ],
  };
}

export const exportedSymbols = ["napi_register_module_v1", "node_api_module_get_api_version_v1"];

/** Loads the addon in a process of its own, to prove that it loads, and reads its features. */
async function inspect(path: string, logFile: string): Promise<Pick<Manifest, "librdkafka" | "features">> {
  const script = `const a = require(${JSON.stringify(path)});
    console.log(JSON.stringify({ librdkafka: a.librdkafkaVersion, features: a.features().split(",") }));`;
  const { stdout } = await runOrThrow([process.execPath, "-e", script], { logFile });
  return JSON.parse(stdout) as Pick<Manifest, "librdkafka" | "features">;
}

/** The key of the addon that these options lead to, without building anything. */
export async function addonKey(options: Pick<AddonOptions, "toolchain" | "isStatic">): Promise<string> {
  const libraries = await findLibraries(options.toolchain);
  return hashInputs({
    root: packageDir,
    paths: [
      ...["include", ...ownFolders].map((name) => join(packageDir, name)),
      ...["addon.ts", "compile.ts", "librdkafka.ts"].map((name) => join(packageDir, "build", name)),
      nodeApiHeadersDir,
      join(clientDir, "src"),
      ...librdkafkaSources.map((name) => join(librdkafkaSourceDir, name)),
    ],
    facts: [
      process.platform,
      process.arch,
      options.toolchain.version,
      libraries.map(({ feature }) => feature).join(),
      String(options.isStatic),
    ],
  });
}

/** The built addon, from the cache when its inputs are the same. Throws `CommandError` when a step fails. */
export async function buildAddon(options: AddonOptions): Promise<AddonBuild> {
  const key = await addonKey(options);
  const dir = await cached(
    { root: options.cacheRoot, kind: "addon", key },
    options.progress,
    async (work) => {
      const libraries = await findLibraries(options.toolchain);
      const librdkafka = await buildLibrdkafka({ ...options, libraries });
      const output = join(work, addonName);
      await compileAddon({
        ...options,
        ...addonSources(),
        flags: cxxFlags,
        linkArguments: [...librdkafka.archives, ...librdkafka.linkArguments],
        exportedSymbols,
        workDir: join(work, "objects"),
        output,
        label: "compiling the addon",
      });
      await Bun.$`rm -r ${join(work, "objects")}`.quiet();
      const manifest: Manifest = {
        key,
        ...(await inspect(output, options.logFile)),
        isStatic: options.isStatic,
        compiler: options.toolchain.version,
      };
      await Bun.write(join(work, "kafka-native.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    },
  );
  return {
    path: join(dir, addonName),
    manifest: (await Bun.file(join(dir, "kafka-native.json")).json()) as Manifest,
  };
}
