// Compiles C++ sources side by side and links them to a loadable addon.
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { runOrThrow } from "./command.ts";
import type { Progress } from "./progress.ts";
import type { Toolchain } from "./toolchain.ts";

export interface CompileOptions {
  toolchain: Toolchain;
  /** Source files with the flags that are theirs alone. */
  sources: readonly { path: string; flags?: readonly string[] }[];
  includeDirs: readonly string[];
  flags: readonly string[];
  /** Objects and libraries after the objects. */
  linkArguments: readonly string[];
  /** The only symbols that the addon shows to its host. */
  exportedSymbols: readonly string[];
  /** An existing folder for objects. */
  workDir: string;
  output: string;
  logFile: string;
  progress: Progress;
  /** Keep symbols and lines for a debugger or sanitizer. */
  isDebug?: boolean;
  label: string;
}

/** Flags for every C++ source of the addon. */
export const cxxFlags = [
  "-std=c++20",
  "-O2",
  "-fPIC",
  "-pthread",
  // What the addon exports is its registration alone: a host with a librdkafka or a libstdc++ of its own, or
  // another addon with one, must not have its symbols mixed with these.
  "-fvisibility=hidden",
  "-fvisibility-inlines-hidden",
] as const;

async function linkFlags(options: CompileOptions): Promise<string[]> {
  if (process.platform === "darwin") {
    const list = join(options.workDir, "exports.txt");
    await Bun.write(list, options.exportedSymbols.map((name) => `_${name}\n`).join(""));
    return [
      "-bundle",
      "-undefined",
      "dynamic_lookup",
      `-Wl,-exported_symbols_list,${list}`,
      ...(options.isDebug ? [] : ["-Wl,-x"]),
    ];
  }
  const script = join(options.workDir, "exports.map");
  await Bun.write(
    script,
    `{ global: ${options.exportedSymbols.map((name) => `${name};`).join(" ")} local: *; };\n`,
  );
  return [
    "-shared",
    "-pthread",
    // The C++ library is linked statically: the host may have been linked with another version.
    "-static-libstdc++",
    "-static-libgcc",
    "-Wl,--exclude-libs,ALL",
    // Weak C++ symbols (vtables, inline functions) are exported in spite of -fvisibility.
    `-Wl,--version-script=${script}`,
    // A symbol that the host lacks fails the load, not the first use.
    "-Wl,-z,now",
    "-Wl,-z,relro",
    ...(options.isDebug ? [] : ["-Wl,-s"]),
  ];
}

/** Compiles and links. Throws the `CommandError` of the first source that fails, once the others have stopped. */
export async function compileAddon(options: CompileOptions): Promise<void> {
  const { toolchain, sources, logFile, progress, workDir, output, label } = options;
  mkdirSync(workDir, { recursive: true });
  const includes = options.includeDirs.map((dir) => `-I${dir}`);
  const objects = sources.map((source, index) => join(workDir, `${index}-${basename(source.path)}.o`));

  let next = 0;
  let done = 0;
  let failure: unknown;
  const worker = async (): Promise<void> => {
    while (next < sources.length && failure === undefined) {
      const index = next++;
      const source = sources[index]!;
      try {
        const flags = [...options.flags, ...(source.flags ?? []), ...includes];
        const command = [toolchain.cxx, ...flags, "-c", source.path, "-o", objects[index]!];
        await runOrThrow(command, { logFile });
        progress.step(label, ++done, sources.length);
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (failure !== undefined) throw failure;

  const sanitizers = options.flags.filter((flag) => flag.startsWith("-fsanitize"));
  const arguments_ = [
    ...sanitizers,
    ...(await linkFlags(options)),
    "-o",
    output,
    ...objects,
    ...options.linkArguments,
  ];
  await runOrThrow([toolchain.cxx, ...arguments_], { logFile });
}
