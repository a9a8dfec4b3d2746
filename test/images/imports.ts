// Which modules a program loads, found by following its imports. Type imports count: types belong to the program too.
import { dirname, join, relative } from "node:path";
import { root } from "./build-context.ts";

const IMPORT = /\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g;

/** Repository files reached from `entries` by relative imports and by imports of workspaces. */
export async function reachableFrom(entries: readonly string[]): Promise<Set<string>> {
  const reached = new Set<string>();
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    if (!/\.[cm]?[jt]s$/.test(file)) continue;
    for (const [, specifier = ""] of (await Bun.file(join(root, file)).text()).matchAll(IMPORT)) {
      const target = resolveInRepository(specifier, dirname(join(root, file)));
      if (target !== undefined) queue.push(target);
    }
  }
  return reached;
}

/** The imported file, from the root; undefined for a package of a registry and for a module of the runtime. */
function resolveInRepository(specifier: string, from: string): string | undefined {
  if (!specifier.startsWith(".") && !specifier.startsWith("@ingest/")) return undefined;
  const path = relative(root, Bun.resolveSync(specifier, from));
  return path.includes("node_modules") ? undefined : path;
}
