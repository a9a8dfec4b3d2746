// Builds librdkafka, from the source that Confluent's package vendors, as two static libraries.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { type Env, runOrThrow } from "./command.ts";
import { hashInputs } from "./inputs.ts";
import { extraPrefixes, type OptionalLibrary } from "./libraries.ts";
import { librdkafkaSourceDir } from "./paths.ts";
import type { Progress } from "./progress.ts";
import type { Toolchain } from "./toolchain.ts";

export interface LibrdkafkaBuild {
  /** In link order: C++ wrapper, C library. */
  archives: string[];
  /** Linker arguments for the system libraries that they need. */
  linkArguments: string[];
  key: string;
}

export interface LibrdkafkaOptions {
  toolchain: Toolchain;
  libraries: readonly OptionalLibrary[];
  /** Link OpenSSL, zlib and zstd statically where the system has them as archives. */
  isStatic: boolean;
  /** For example a sanitizer's. */
  extraFlags?: readonly string[];
  cacheRoot: string;
  logFile: string;
  progress: Progress;
  env: Env;
}

/** The parts of librdkafka's source that the build uses. */
export const librdkafkaSources = ["src", "src-cpp", "mklove", "configure", "configure.self", "lds-gen.py"];

function configureArguments({ libraries, isStatic }: LibrdkafkaOptions): string[] {
  const has = (feature: string): boolean => libraries.some((library) => library.feature === feature);
  const toggle = (feature: string, option: string): string =>
    `--${has(feature) ? "enable" : "disable"}-${option}`;
  return [
    "--disable-gssapi",
    // The LZ4 and regular expressions that come with the source: nothing to find, the same everywhere.
    "--disable-lz4-ext",
    "--disable-regex-ext",
    "--disable-syslog",
    "--disable-debug-symbols",
    toggle("ssl", "ssl"),
    toggle("gzip", "zlib"),
    toggle("zstd", "zstd"),
    // A static libcurl would need all of its own dependencies as archives.
    isStatic ? "--disable-curl" : toggle("oidc", "curl"),
    ...(isStatic ? ["--enable-static"] : []),
  ];
}

function compilerEnv({ toolchain, extraFlags, env }: LibrdkafkaOptions): Env {
  const flags = ["-fPIC", "-fvisibility=hidden", ...(extraFlags ?? [])].join(" ");
  const prefixes = extraPrefixes();
  return {
    PATH: env.PATH,
    HOME: env.HOME,
    TMPDIR: env.TMPDIR,
    LC_ALL: "C",
    CC: toolchain.cc,
    CXX: toolchain.cxx,
    CFLAGS: flags,
    CXXFLAGS: flags,
    CPPFLAGS: prefixes.map((prefix) => `-I${prefix}/include`).join(" "),
    LDFLAGS: [...prefixes.map((prefix) => `-L${prefix}/lib`), ...(extraFlags ?? [])].join(" "),
    ...(env.PKG_CONFIG_PATH ? { PKG_CONFIG_PATH: env.PKG_CONFIG_PATH } : {}),
  };
}

function countSources(dir: string): number {
  return readdirSync(dir, { recursive: true }).filter((name) => /\.(c|cpp)$/.test(String(name))).length;
}

/** `LIBS` as librdkafka's configure has put it together. */
function readLinkArguments(makefileConfig: string): string[] {
  const libs = /^LIBS\+?=(.*)$/m.exec(readFileSync(makefileConfig, "utf8"))?.[1] ?? "";
  return [...extraPrefixes().map((prefix) => `-L${prefix}/lib`), ...libs.trim().split(/\s+/).filter(Boolean)];
}

async function build(options: LibrdkafkaOptions, dir: string): Promise<void> {
  const { progress, logFile, toolchain } = options;
  const tree = join(dir, "tree");
  mkdirSync(tree);
  for (const name of librdkafkaSources)
    cpSync(join(librdkafkaSourceDir, name), join(tree, name), { recursive: true });

  const env = compilerEnv(options);
  progress.print("configuring librdkafka");
  await runOrThrow(["bash", "./configure", ...configureArguments(options)], { cwd: tree, env, logFile });

  const total = countSources(tree);
  let compiled = 0;
  const onLine = (line: string): void => {
    if (/ -c \S+\.(c|cpp)\b/.test(line))
      progress.step("compiling librdkafka", Math.min(++compiled, total), total);
  };
  const jobs = `-j${availableParallelism()}`;
  await runOrThrow([toolchain.make, jobs, "-C", "src", "librdkafka.a"], { cwd: tree, env, logFile, onLine });
  await runOrThrow([toolchain.make, jobs, "-C", "src-cpp", "librdkafka++.a"], {
    cwd: tree,
    env,
    logFile,
    onLine,
  });

  renameSync(join(tree, "src/librdkafka.a"), join(dir, "librdkafka.a"));
  renameSync(join(tree, "src-cpp/librdkafka++.a"), join(dir, "librdkafka++.a"));
  await Bun.write(join(dir, "link.json"), JSON.stringify(readLinkArguments(join(tree, "Makefile.config"))));
  rmSync(tree, { recursive: true });
}

/** The built library, from the cache when its inputs are the same. Throws `CommandError` when a step fails. */
export async function buildLibrdkafka(options: LibrdkafkaOptions): Promise<LibrdkafkaBuild> {
  const key = hashInputs({
    root: librdkafkaSourceDir,
    paths: librdkafkaSources.map((name) => join(librdkafkaSourceDir, name)),
    facts: [
      process.platform,
      process.arch,
      options.toolchain.version,
      configureArguments(options).join(" "),
      JSON.stringify({ ...compilerEnv(options), PATH: "", HOME: "", TMPDIR: "" }),
    ],
  });
  const dir = await cached({ root: options.cacheRoot, kind: "librdkafka", key }, options.progress, (work) =>
    build(options, work),
  );
  return {
    archives: [join(dir, "librdkafka++.a"), join(dir, "librdkafka.a")],
    linkArguments: (await Bun.file(join(dir, "link.json")).json()) as string[],
    key,
  };
}
