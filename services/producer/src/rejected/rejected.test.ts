import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTopic, startMockCluster } from "@ingest/kafka";
import { temporaryFolder } from "@ingest/testkit";
import type { RejectedLine } from "../delivery/rejected-events.ts";
import { readRejected, rejectedFiles, takeOver } from "./files.ts";
import { replayRejected } from "./replay.ts";

const line = (value: string): RejectedLine => ({
  at: "2026-01-01T00:00:00.000Z",
  code: "invalid_record",
  reason: "Broker: Broker failed to validate record",
  topic: "events",
  receivedMs: 1_700_000_000_000,
  key: "k",
  value: Buffer.from(value).toString("base64"),
  headers: [
    ["ce_id", Buffer.from("☃").toString("base64")],
    ["none", null],
  ],
});

/** A journal's folder with a file of rejected events for each worker. */
function journalWith(path: string, ...workers: string[][]): void {
  for (const [index, values] of workers.entries()) {
    const folder = join(path, `worker-${index}`);
    mkdirSync(folder);
    const text = values.map((value) => `${JSON.stringify(line(value))}\n`).join("");
    writeFileSync(join(folder, "rejected.ndjson"), text);
  }
}

test("the files of all workers, those that a replay took over first", () => {
  using home = temporaryFolder();
  journalWith(home.path, ["a", "b"], ["c"]);
  const [first, second] = rejectedFiles(home.path);
  expect(readRejected(first!)).toMatchObject([line("a"), line("b")]);
  const taken = takeOver(first!);
  expect(taken).toMatch(/worker-0\/rejected-\d+\.ndjson$/);
  writeFileSync(first!, "");
  expect(rejectedFiles(home.path)).toEqual([taken, first!, second!]);
  expect(rejectedFiles(join(home.path, "nothing"))).toEqual([]);
});

test("a line that is still being written is left out; a damaged one is named", () => {
  using home = temporaryFolder();
  const path = join(home.path, "rejected.ndjson");
  writeFileSync(path, `${JSON.stringify(line("a"))}\n{"at":`);
  expect(readRejected(path)).toHaveLength(1);
  writeFileSync(path, `${JSON.stringify(line("a"))}\n{"at":\n`);
  expect(() => readRejected(path)).toThrow(`${path}:2 is not a rejected event`);
});

test("the command lists each event with its reason, and names what it takes", async () => {
  using home = temporaryFolder();
  journalWith(home.path, ["a"]);
  const run = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "../rejected.ts"), ...args], {
      env: { ...process.env, JOURNAL_DIR: home.path },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, error] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { out, error, code: await child.exited };
  };
  const { out, code } = await run("list");
  expect(code).toBe(0);
  expect(out).toContain(
    'rejected.ndjson:1 2026-01-01T00:00:00.000Z topic events key "k" 1 bytes invalid_record: Broker: Broker failed to validate record\n',
  );
  expect(out).toEndWith(`1 rejected events in ${home.path}\n`);
  const wrong = await run("delete");
  expect(wrong).toMatchObject({ code: 2, error: 'rejected: list or replay, got "delete"\n' });
});

test("a replay sends each event and removes the files", async () => {
  using home = temporaryFolder();
  journalWith(home.path, ["a", "b"], ["c"]);
  const cluster = await startMockCluster();
  try {
    const values: string[] = [];
    const counts = await replayRejected({
      config: { "bootstrap.servers": cluster.bootstrapServers, "linger.ms": 0 },
      journalDir: home.path,
      topic: "events",
      onOutcome: ({ value }, error) => values.push(error?.code ?? atob(value)),
    });
    expect(counts).toEqual({ stored: 3, refused: 0 });
    expect(values).toEqual(["a", "b", "c"]);
    expect(readdirSync(join(home.path, "worker-0"))).toEqual([]);
    const config = { "bootstrap.servers": cluster.bootstrapServers };
    const read = (await Array.fromAsync(readTopic({ config, topic: "events" }))).flat();
    const headers = [
      ["ce_id", Buffer.from("☃")],
      ["none", null],
    ];
    expect(read.map((record) => [record.value!.toString(), record.headers]).sort()).toEqual([
      ["a", headers],
      ["b", headers],
      ["c", headers],
    ] as never);
  } finally {
    await cluster.close();
  }
}, 30_000);
