// Commands on standard input for the nodes of a cluster: "kill 2", "start controller".
import { createInterface } from "node:readline";
import type { Cluster } from "./cluster.ts";
import type { NodeProcess } from "./kafka-node.ts";

const commands = new Map<string, (node: NodeProcess) => void | Promise<void>>([
  ["kill", (node) => node.kill()],
  ["stop", (node) => node.stop()],
  ["start", (node) => node.restart()],
  ["pause", (node) => node.pause()],
  ["resume", (node) => node.resume()],
]);

/** A cluster's nodes by the names that commands use. */
export function nodesOf(cluster: Cluster): Map<string, NodeProcess> {
  const brokers = cluster.brokers.map((broker, index) => [String(index + 1), broker] as const);
  return new Map<string, NodeProcess>([...brokers, ["controller", cluster.controller]]);
}

/** Runs one command a line, one after the other. Resolves at the end of the input. */
export async function runCommands(
  cluster: Cluster,
  input: NodeJS.ReadableStream,
  report: (message: string) => void,
): Promise<void> {
  const nodes = nodesOf(cluster);
  for await (const line of createInterface({ input })) {
    if (line.trim() === "") continue;
    const [verb = "", name = ""] = line.trim().split(/\s+/);
    const command = commands.get(verb);
    const node = nodes.get(name);
    if (command === undefined || node === undefined) {
      report(
        `unknown command "${line.trim()}": ${[...commands.keys()].join(", ")}; ${[...nodes.keys()].join(", ")}`,
      );
      continue;
    }
    try {
      await command(node);
      report(`${verb} ${name}: done`);
    } catch (thrown) {
      report(`${verb} ${name}: ${(thrown as Error).message}`);
    }
  }
}
