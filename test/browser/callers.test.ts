// Follows docs/callers.md from no key to a page with limits and schemas: its files are written, its commands run, and its
// page is opened in a browser.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "@ingest/broker";
import { startMockCluster } from "@ingest/kafka";
import { temporaryFolder, until } from "@ingest/testkit";
import { launchChromium } from "./chromium.ts";

const TIMEOUT_MS = 120_000;
const root = join(import.meta.dir, "../..");

interface Block {
  /** What its fence names. */
  readonly language: string;
  /** The file that the text before it says it is. */
  readonly file: string | undefined;
  readonly text: string;
}

function readWalk(): Block[] {
  const page = readFileSync(join(root, "docs/callers.md"), "utf8");
  const walk = page.slice(page.indexOf("## From no key"), page.indexOf("A missing, unknown or expired key"));
  const blocks = walk.matchAll(/(?:This is `([^`]+)`[^\n]*\n\n)? {3}```(\w*)\n([\s\S]*?)\n {3}```/g);
  return [...blocks].map(([, file, language, text]) => ({
    language: language!,
    file,
    text: text!.replaceAll(/^ {3}/gm, ""),
  }));
}

/** A folder in which the repository's commands run, and nothing of the repository is written. */
function checkout() {
  const folder = temporaryFolder("walk");
  for (const name of ["package.json", "node_modules", "packages", "scripts", "services"])
    symlinkSync(join(root, name), join(folder.path, name));
  return folder;
}

test(
  "docs/callers.md leads from no key to a limited, schema-checked page",
  async () => {
    const cluster = await startMockCluster();
    using folder = checkout();
    const [producerPort, pagePort] = [await freePort(), await freePort()];
    const env = {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: folder.path,
      PORT: String(producerPort),
      KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers,
      SHUTDOWN_DELAY_MS: "0",
      LOG_FORMAT: "json",
      ACCESS_LOG: "all",
    };
    const start = (command: string) =>
      Bun.spawn(["sh", "-c", `exec ${command.replace(/^((?:\w+=\S+ )+)/, "env $1")}`], {
        cwd: folder.path,
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
    const run = async (command: string) => {
      const child = start(command);
      const output = await child.stdout.text();
      expect(await child.exited).toBe(0);
      return output;
    };
    const blocks = readWalk();
    const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
    expect(commands).toHaveLength(4);
    const [newKey, check, producer, servePage] = commands as [string, string, string, string];

    // The key and ports of this run in place of those of the page.
    const printed = blocks.find(({ text }) => text.startsWith("key "))!.text;
    const read = (text: string) => [
      /ingest_[\w-]{43}/.exec(text)![0],
      /"sha256":"([0-9a-f]{64})"/.exec(text)![1]!,
    ];
    const [documentedKey = "", documentedHash = ""] = read(printed);
    const [key = "", hash = ""] = read(await run(newKey));
    const adapt = (text: string) =>
      text
        .replaceAll(documentedKey, key)
        .replaceAll(documentedHash, hash)
        .replaceAll("localhost:3000", `localhost:${producerPort}`)
        .replaceAll("localhost:8080", `localhost:${pagePort}`)
        .replaceAll("--port=8080", `--port=${pagePort}`);
    const files = blocks.filter(({ file }) => file !== undefined);
    expect(files.map(({ file }) => file)).toEqual(["callers.json", "schemas/page_view.json", "page.html"]);
    for (const { file, text } of files) {
      mkdirSync(dirname(join(folder.path, file!)), { recursive: true });
      writeFileSync(join(folder.path, file!), adapt(text));
    }
    expect(await run(check)).toContain("1 callers with 1 keys; requests without a key are refused");

    const children = [start(producer), start(adapt(servePage))];
    const log = children[0]!.stdout.text();
    try {
      const browser = await launchChromium();
      try {
        await until("the producer", async () => {
          const ready = await fetch(`http://localhost:${producerPort}/health/ready`).catch(() => undefined);
          return ready?.ok;
        });
        await until(
          "the page",
          async () => (await fetch(`http://localhost:${pagePort}`).catch(() => undefined))?.ok,
        );
        const page = await browser.newPage();
        await page.goto(`http://localhost:${pagePort}`);
        const shown = () => page.evaluate(`document.getElementById("log").textContent`) as Promise<string>;
        await until("three responses", async () => (await shown()).split("\n").length > 3, 20_000);
        const expected = blocks.find(({ language }) => language === "text")!.text;
        const withoutSpaces = (text: string) => text.replaceAll(/ +$/gm, "").trim();
        expect(withoutSpaces(await shown())).toBe(expected);
        // Its beacon is sent while it closes.
        await page.goto("about:blank");
        // Another origin of the same machine.
        await page.goto(`http://127.0.0.1:${producerPort}/problems/rate_limited`);
        const attempt = `fetch("http://localhost:${producerPort}/register_event", { method: "POST", body: "{}",
          headers: { "content-type": "application/json", authorization: "Bearer ${key}" } }).catch((error) => error.name)`;
        expect(await page.evaluate(attempt)).toBe("TypeError");
      } finally {
        await browser.close();
      }
    } finally {
      for (const child of children) child.kill();
    }
    const lines = (await log).split("\n").filter((line) => line.includes('"request completed"'));
    const statuses = lines
      .map((line) => JSON.parse(line) as { method: string; status: number; caller?: string })
      .filter(({ method }) => method === "POST");
    expect(new Set(statuses.map(({ caller }) => caller))).toEqual(new Set(["shop-page"]));
    // Events within the limit, one beyond it, the invalid one, and the beacon, which may be beyond the limit again.
    expect(statuses.map(({ status }) => status).join(" ")).toMatch(/^202( 202)* 429 422 (202|429)$/);
    expect(await log).not.toContain(key);
  },
  TIMEOUT_MS,
);
