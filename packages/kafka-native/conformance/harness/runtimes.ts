// The runtimes that this machine can compare.
import { findToolchain } from "../../build/toolchain.ts";
import { buildAddonSet } from "./addons.ts";
import { findNode, findNodeHeaders, oldestNode } from "./node.ts";
import type { Runtime } from "./run-case.ts";

export interface Runtimes {
  available: Runtime[];
  /** Why a runtime is not among them. */
  skipped: { name: string; reason: string }[];
}

/** Builds what has to be built. Throws `CommandError` when a build fails. */
export async function findRuntimes(env: Readonly<Record<string, string | undefined>>): Promise<Runtimes> {
  const probe = await findToolchain(env);
  if ("missing" in probe) {
    const reason = `this machine lacks ${probe.missing.join(", ")}`;
    return { available: [], skipped: [{ name: "everything", reason }] };
  }
  const toolchain = probe.found;
  const addons = await buildAddonSet({ toolchain });
  const available: Runtime[] = [{ name: "bun", command: [process.execPath], addons, isOracle: false }];
  const skipped: Runtimes["skipped"] = [];

  const node = findNode(env);
  if (node === undefined) {
    const reason = `there is no Node of version ${oldestNode} or later on PATH`;
    skipped.push({ name: "node", reason }, { name: "node with NAN", reason });
    return { available, skipped };
  }
  const command = [node.command, "--expose-gc"];
  available.push({ name: "node", command, addons, isOracle: false });

  const nodeHeaders = findNodeHeaders(node.command);
  if (nodeHeaders === undefined) {
    skipped.push({ name: "node with NAN", reason: "Node's own headers (v8.h, uv.h) are not installed" });
  } else {
    const oracle = await buildAddonSet({ toolchain, nodeHeaders });
    available.push({ name: "node with NAN", command, addons: oracle, isOracle: true });
  }
  return { available, skipped };
}
