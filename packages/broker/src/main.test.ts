import { expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "@ingest/testkit";
import type { Subprocess } from "bun";
import { brokerResponds, canStartBroker, freePort } from "./index.ts";

const minute = 60_000;
const cli = join(import.meta.dir, "main.ts");

function spawnCli(...args: string[]): Subprocess<"ignore", "pipe", "pipe"> {
  return Bun.spawn([process.execPath, cli, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

/** Reads standard error until a line matches; fails with all of it when the process ends first. */
async function untilLine(child: Subprocess<"ignore", "pipe", "pipe">, pattern: RegExp): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    text += decoder.decode(chunk, { stream: true });
    const found = text.split("\n").find((line) => pattern.test(line));
    if (found !== undefined) return found;
  }
  throw new Error(`no line like ${pattern}:\n${text}`);
}

test.if(canStartBroker())(
  "runs Kafka in the foreground until SIGTERM",
  async () => {
    const port = await freePort();
    const child = spawnCli("--port", String(port));
    const line = await untilLine(child, /is ready on/);
    expect(line).toContain(`127.0.0.1:${port}`);
    expect(await brokerResponds(port)).toBe(true);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await brokerResponds(port, 500)).toBe(false);
  },
  2 * minute,
);

test.if(canStartBroker() && Bun.which("setpriv") !== null)(
  "takes Kafka with it when it is killed",
  async () => {
    const port = await freePort();
    const child = spawnCli("--port", String(port));
    await untilLine(child, /is ready on/);
    child.kill("SIGKILL");
    await child.exited;
    await until("Kafka to be gone", async () => !(await brokerResponds(port, 200)), 10_000);
  },
  2 * minute,
);

test(
  "serves librdkafka's mock cluster on the given port",
  async () => {
    const port = await freePort();
    const child = spawnCli("--embedded", "--port", String(port));
    await untilLine(child, /mock cluster is ready/);
    expect(await brokerResponds(port)).toBe(true);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  },
  minute,
);

test("refuses what is not a port, and lists its options", async () => {
  const wrong = spawnCli("--port", "many");
  expect(await wrong.stderr.text()).toContain("--port must be a whole number");
  expect(await wrong.exited).toBe(2);
  const help = spawnCli("--help");
  expect(await help.stdout.text()).toContain("--embedded");
  expect(await help.exited).toBe(0);
});
