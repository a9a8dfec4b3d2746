// Finds the programs that the build needs.
import { basename } from "node:path";
import { type Env, run } from "./command.ts";

export interface Toolchain {
  cc: string;
  cxx: string;
  make: string;
  /** First line of `cxx --version`. */
  version: string;
}

export type ToolchainProbe = { found: Toolchain } | { missing: string[] };

// One use of what the headers need most: concepts and a destroying delete.
const cxx20Probe = `
#include <concepts>
#include <new>
struct Handle { static void operator delete(Handle*, std::destroying_delete_t) {} };
template <std::integral T> T same(T value) { return value; }
int main() { return same(0); }
`;

/** The C compiler that belongs to a C++ compiler: `g++-13` → `gcc-13`, `clang++` → `clang`. */
function siblingCompiler(cxx: string): string {
  const name = basename(cxx);
  const sibling = name.replace("clang++", "clang").replace("g++", "gcc").replace("c++", "cc");
  return cxx.slice(0, cxx.length - name.length) + sibling;
}

async function supportsCxx20(cxx: string): Promise<boolean> {
  const child = Bun.spawn([cxx, "-std=c++20", "-fsyntax-only", "-x", "c++", "-"], {
    stdin: new Blob([cxx20Probe]),
    stdout: "ignore",
    stderr: "ignore",
  });
  return (await child.exited) === 0;
}

/**
 * Looks for a C++20 compiler (`CXX`, or g++, clang++, c++), a C compiler (`CC`, or the C++ one's sibling), make
 * and bash, which librdkafka's `configure` is written for.
 */
export async function findToolchain(env: Env): Promise<ToolchainProbe> {
  const which = (name: string): string | null => Bun.which(name, { PATH: env.PATH ?? "" });
  const missing: string[] = [];

  const cxx = (env.CXX ? [env.CXX] : ["g++", "clang++", "c++"]).map(which).find((path) => path !== null);
  if (cxx == null) {
    missing.push(env.CXX ? `the compiler that CXX names (${env.CXX})` : "a C++ compiler (g++ or clang++)");
  } else if (!(await supportsCxx20(cxx))) {
    missing.push(`a compiler for C++20 (${cxx} is too old or lacks its headers: g++ 11 or clang 14 will do)`);
  }
  const cc =
    cxx == null ? null : [env.CC || siblingCompiler(cxx), "cc"].map(which).find((path) => path !== null);
  if (cxx != null && cc == null) missing.push("a C compiler (gcc or clang)");
  const make = which("make") ?? which("gmake");
  if (make === null) missing.push("make");
  if (which("bash") === null) missing.push("bash");

  if (missing.length > 0 || cxx == null || cc == null || make === null) return { missing };
  const version = (await run([cxx, "--version"])).stdout.split("\n")[0] ?? "";
  return { found: { cc, cxx, make, version } };
}
