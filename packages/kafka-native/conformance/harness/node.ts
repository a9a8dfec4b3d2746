// Node on this machine, and its own headers, which the oracle (the same C++ with the real NAN) is built against.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Env } from "../../build/command.ts";

/** Node-API 8 and all that the cases use. */
export const oldestNode = 20;

/** PATH without Bun's stand-in for Node, which `bun run` puts first. */
export function pathToNode({ PATH = "" }: Env): string {
  return PATH.split(":")
    .filter((dir) => !dir.includes("bun-node-"))
    .join(":");
}

/** A Node that is new enough, and no Bun. */
export function findNode(env: Env): { command: string; version: string } | undefined {
  const command = Bun.which("node", { PATH: pathToNode(env) });
  if (command === null) return undefined;
  const version = Bun.spawnSync([command, "-p", "process.versions.node"]).stdout.toString().trim();
  return Number.parseInt(version, 10) >= oldestNode ? { command, version } : undefined;
}

/** Node's `include/node` folder for the given `node` program, or undefined when this machine has none. */
export function findNodeHeaders(node: string): string | undefined {
  const { stdout } = Bun.spawnSync([
    node,
    "-p",
    "JSON.stringify([process.versions.modules, require('fs').realpathSync(process.execPath), process.env.npm_config_nodedir])",
  ]);
  const [abi, execPath, nodeDir] = JSON.parse(stdout.toString()) as [string, string, string | null];
  const candidates = [
    ...(nodeDir ? [join(nodeDir, "include/node")] : []),
    join(dirname(dirname(execPath)), "include/node"),
    "/usr/include/node",
    "/usr/local/include/node",
  ];
  return candidates.find((dir) => {
    if (!existsSync(join(dir, "v8.h")) || !existsSync(join(dir, "uv.h"))) return false;
    const version = readFileSync(join(dir, "node_version.h"), "utf8");
    return /define NODE_MODULE_VERSION (\d+)/.exec(version)?.[1] === abi;
  });
}
