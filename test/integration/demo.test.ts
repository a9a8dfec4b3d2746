// `bun run demo` as a user runs it: its exit code, its proof of arrival, and that it stops everything.
import { expect, test } from "bun:test";
import { join } from "node:path";

const minute = 60_000;
const root = join(import.meta.dir, "..", "..");

function spawnDemo(...args: string[]) {
  return Bun.spawn([process.execPath, "scripts/demo.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The addresses that the demo prints once everything is ready: Kafka's, the producer's, the consumer's. */
const addresses = /Kafka (\S+), producer http:\/\/(\S+), consumer http:\/\/([^/\s]+)/;

async function isListening(address: string): Promise<boolean> {
  const [hostname = "", port] = address.split(":");
  try {
    (await Bun.connect({ hostname, port: Number(port), socket: { data() {} } })).end();
    return true;
  } catch {
    return false;
  }
}

test(
  "every accepted event is in the topic and in the consumer's log, and everything is stopped",
  async () => {
    const demo = spawnDemo("--requests", "2000");
    const output = await demo.stdout.text();
    expect(output).toMatch(/accepted +2000\n/);
    expect(output).toMatch(/in the topic +2000\n/);
    expect(output).toMatch(/missing +0\n/);
    expect(output).toMatch(/handled, logged +2000 /);
    expect(await demo.exited).toBe(0);
    const used = addresses.exec(output)?.slice(1) ?? [];
    expect(used).toHaveLength(3);
    for (const address of used) expect([address, await isListening(address)]).toEqual([address, false]);
  },
  3 * minute,
);

test(
  "stops everything when it is interrupted",
  async () => {
    const demo = spawnDemo("--requests", "100000000");
    const decoder = new TextDecoder();
    let output = "";
    let used: string[] = [];
    for await (const chunk of demo.stdout) {
      output += decoder.decode(chunk, { stream: true });
      used = addresses.exec(output)?.slice(1) ?? used;
      if (used.length === 3 && output.includes("sending")) break;
    }
    demo.kill("SIGINT");
    expect(await demo.exited).toBe(130);
    expect(used).toHaveLength(3);
    for (const address of used) expect([address, await isListening(address)]).toEqual([address, false]);
  },
  3 * minute,
);

test("rejects an invalid number of requests", async () => {
  const demo = Bun.spawn([process.execPath, "scripts/demo.ts", "--requests", "many"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  expect(await demo.stderr.text()).toContain("--requests");
  expect(await demo.exited).toBe(2);
});
