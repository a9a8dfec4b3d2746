import { expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "@ingest/testkit";
import type { Subprocess } from "bun";
import { brokerResponds, canStartBroker, freePort, isPortFree } from "./index.ts";
import { requestMetadata } from "./requests.ts";

const minute = 60_000;
const cli = join(import.meta.dir, "main.ts");

type Cli = Subprocess<"pipe", "pipe", "pipe">;

function spawnCli(...args: string[]): Cli {
  return Bun.spawn([process.execPath, cli, ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
}

/** Ports that follow each other and are free. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const rest = Array.from({ length: count - 1 }, (_, index) => isPortFree(first + 1 + index));
    if ((await Promise.all(rest)).every(Boolean)) return first;
  }
}

/** Reads standard error until a line matches; fails with all of it when the process ends first. */
async function untilLine(child: Cli, pattern: RegExp): Promise<string> {
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

test.if(canStartBroker())(
  "runs three brokers, and takes commands for each of them",
  async () => {
    const port = await freeRange(3);
    const child = spawnCli("--port", String(port), "--brokers", "3");
    let text = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr) text += decoder.decode(chunk, { stream: true });
    })();
    const untilText = (part: string) => until(part, () => text.includes(part), minute);
    const command = (line: string) => {
      child.stdin.write(`${line}\n`);
      void child.stdin.flush();
    };
    await untilText("is ready on");
    expect(text).toContain(`127.0.0.1:${port},127.0.0.1:${port + 1},127.0.0.1:${port + 2}`);
    command("kill 2");
    await untilText("kill 2: done");
    expect(await brokerResponds(port + 1, 500)).toBe(false);
    expect(await brokerResponds(port + 2)).toBe(true);
    command("start 2");
    await untilText("start 2: done");
    expect(await brokerResponds(port + 1)).toBe(true);
    command("sink 2");
    await untilText('unknown command "sink 2": kill, stop, start, pause, resume; 1, 2, 3, controller');
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await reading;
    for (let index = 0; index < 3; index++) expect(await brokerResponds(port + index, 500)).toBe(false);
  },
  3 * minute,
);

test(
  "serves librdkafka's mock cluster on the given port",
  async () => {
    const port = await freePort();
    const child = spawnCli("--embedded", "--port", String(port), "--brokers", "3");
    await untilLine(child, /mock cluster is ready/);
    expect((await requestMetadata(port, undefined, 2_000))?.brokers).toHaveLength(3);
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
