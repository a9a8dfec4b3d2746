// The addons that cases run against: the surface addon and the client's, each with this package's headers and
// with the real NAN.
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { addonSources, exportedSymbols } from "../../build/addon.ts";
import { cached } from "../../build/cache.ts";
import { type CompileOptions, compileAddon, cxxFlags } from "../../build/compile.ts";
import { hashInputs } from "../../build/inputs.ts";
import { findLibraries } from "../../build/libraries.ts";
import { buildLibrdkafka } from "../../build/librdkafka.ts";
import { addonPath, cacheDir, clientDir, nodeApiHeadersDir, packageDir } from "../../build/paths.ts";
import { createProgress } from "../../build/progress.ts";
import type { Toolchain } from "../../build/toolchain.ts";

/** Paths of built addons. */
export interface AddonSet {
  /** For `cases/`. */
  surface: string;
  /** For `client/` and `hazards/`. */
  client: string;
}

export interface AddonSetOptions {
  toolchain: Toolchain;
  /** Node's headers: build with the real NAN. Undefined: with this package's headers. */
  nodeHeaders?: string;
  /** For example a sanitizer's; then everything keeps its symbols, and librdkafka is built with them too. */
  extraFlags?: readonly string[];
}

const surfaceDir = join(packageDir, "conformance", "addon");
const shimIncludes = [join(packageDir, "include"), nodeApiHeadersDir];

function nanIncludes(nodeHeaders: string): string[] {
  return [nodeHeaders, dirname(Bun.resolveSync("nan/package.json", packageDir))];
}

function surfaceSources(): CompileOptions["sources"] {
  return readdirSync(surfaceDir)
    .filter((name) => name.endsWith(".cc"))
    .sort()
    .map((name) => ({ path: join(surfaceDir, name), flags: ["-Wno-deprecated-declarations"] }));
}

type Compile = (options: Pick<CompileOptions, "sources" | "includeDirs" | "linkArguments">) => Promise<void>;

/** Builds both addons (cached by their inputs); the plain client addon has to be installed. */
export async function buildAddonSet(options: AddonSetOptions): Promise<AddonSet> {
  const { toolchain, nodeHeaders, extraFlags = [] } = options;
  const isNan = nodeHeaders !== undefined;
  const root = cacheDir(process.env);
  const progress = createProgress(process.stderr);
  const logFile = join(root, "logs", "conformance.log");
  mkdirSync(dirname(logFile), { recursive: true });
  const flags = [...cxxFlags, ...extraFlags];
  const client = addonSources();
  const includes = isNan ? nanIncludes(nodeHeaders) : shimIncludes;
  const own = isNan ? [] : client.sources.filter(({ path }) => path.startsWith(join(packageDir, "shim")));

  const build = async (name: string, inputs: string[], body: (compile: Compile) => Promise<void>) => {
    const key = hashInputs({
      root: packageDir,
      paths: [
        ...(isNan ? [] : [join(packageDir, "include"), join(packageDir, "shim")]),
        join(packageDir, "build/compile.ts"),
        join(packageDir, "build/librdkafka.ts"),
        ...inputs,
      ],
      facts: [toolchain.version, nodeHeaders ?? "", flags.join(" "), process.arch],
    });
    const dir = await cached({ root, kind: `conformance-${name}`, key }, progress, (work) =>
      body((parts) =>
        compileAddon({
          toolchain,
          flags,
          logFile,
          progress,
          exportedSymbols,
          isDebug: extraFlags.length > 0,
          workDir: join(work, "objects"),
          output: join(work, `${name}.node`),
          label: `compiling the ${name} addon${isNan ? " with NAN" : ""}`,
          ...parts,
        }),
      ),
    );
    return join(dir, `${name}.node`);
  };

  const surface = await build("surface", [surfaceDir], (compile) =>
    compile({ sources: [...surfaceSources(), ...own], includeDirs: includes, linkArguments: [] }),
  );
  // The installed addon equals a plain build.
  if (!isNan && extraFlags.length === 0) return { surface, client: addonPath };
  const clientInputs = [
    join(clientDir, "src"),
    ...(isNan ? [] : ["outbox", "admin", "guards"].map((name) => join(packageDir, name))),
  ];
  const built = await build("client", clientInputs, async (compile) => {
    const libraries = await findLibraries(toolchain);
    const env = process.env;
    const target = {
      toolchain,
      libraries,
      isStatic: false,
      extraFlags,
      cacheRoot: root,
      logFile,
      progress,
      env,
    };
    const librdkafka = await buildLibrdkafka(target);
    await compile({
      sources: isNan ? client.sources.filter(({ path }) => !path.startsWith(packageDir)) : client.sources,
      includeDirs: [...includes, ...client.includeDirs.filter((path) => !shimIncludes.includes(path))],
      linkArguments: [...librdkafka.archives, ...librdkafka.linkArguments],
    });
  });
  return { surface, client: built };
}
