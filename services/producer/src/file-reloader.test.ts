import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import pino from "pino";
import { type Callers, parseCallers } from "./callers/parse-file.ts";
import { FileProblems } from "./file-problems.ts";
import { FileReloader } from "./file-reloader.ts";

const running: FileReloader<Callers>[] = [];
afterEach(() => {
  for (const reloader of running.splice(0)) reloader.stop();
});

const fileOf = (...ids: string[]) =>
  JSON.stringify({ callers: ids.map((id, n) => ({ id, keys: [{ sha256: String(n).repeat(64) }] })) });
const parse = (text: string) => parseCallers(text, { defaultDurability: "accepted", hasJournal: true });

/** A reloader that runs, and what it has logged. */
function start(path: string, text: string) {
  const found: Callers[] = [];
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const replace = (callers: Callers) => ({ callers: found.push(callers) });
  const reloader = new FileReloader({ subject: "callers", path, text, parse, replace, log });
  running.push(reloader);
  reloader.start();
  return { reloader, lines, idsInUse: () => found.at(-1)?.callers.map(({ id }) => id) };
}

describe("a change is found", () => {
  test("in a file that is written in place, renamed over, removed and made again", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "callers.json");
    writeFileSync(path, fileOf("a"));
    const { reloader, idsInUse } = start(path, fileOf("a"));
    writeFileSync(path, fileOf("b"));
    await until("the change in place", () => idsInUse()?.[0] === "b");
    writeFileSync(`${path}.new`, fileOf("c"));
    renameSync(`${path}.new`, path);
    await until("the renamed file", () => idsInUse()?.[0] === "c");
    renameSync(path, `${path}.old`);
    await until("the failure", () => reloader.counts.failure === 1);
    expect(idsInUse()).toEqual(["c"]);
    writeFileSync(path, fileOf("d"));
    await until("the new file", () => idsInUse()?.[0] === "d");
  });

  test("behind the links of a Kubernetes volume", async () => {
    using folder = temporaryFolder();
    for (const version of ["1", "2"]) {
      mkdirSync(join(folder.path, version));
      writeFileSync(join(folder.path, version, "callers.json"), fileOf(`version-${version}`));
    }
    const data = join(folder.path, "..data");
    symlinkSync("1", data);
    const path = join(folder.path, "callers.json");
    symlinkSync("..data/callers.json", path);
    const { idsInUse } = start(path, fileOf("version-1"));
    symlinkSync("2", `${data}_tmp`);
    renameSync(`${data}_tmp`, data);
    await until("the other version", () => idsInUse()?.[0] === "version-2");
  });

  test("when the file changed before the first look at it", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "callers.json");
    writeFileSync(path, fileOf("after"));
    const { idsInUse } = start(path, fileOf("before"));
    await until("the change", () => idsInUse()?.[0] === "after");
  });
});

test("a file with problems keeps the callers in use, is counted, and its problems are logged", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "callers.json");
  writeFileSync(path, JSON.stringify({ callers: [{ id: "ok", keys: [] }], more: 1 }));
  const { reloader, lines, idsInUse } = start(path, fileOf("a"));
  const { loadedMs } = reloader;
  reloader.reload();
  expect(idsInUse()).toBeUndefined();
  expect(reloader.counts).toEqual({ success: 0, failure: 1 });
  expect(reloader.loadedMs).toBe(loadedMs);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    msg: "callers file is invalid: keeping the previous callers",
    problems: [{ pointer: "/more" }, { pointer: "/callers/0/keys" }],
  });
  writeFileSync(path, fileOf("b"));
  reloader.reload();
  expect(idsInUse()).toEqual(["b"]);
  expect(reloader.counts).toEqual({ success: 1, failure: 1 });
});

test("a pipe, a folder or bytes that are not text in the place of the file keep the callers in use", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "callers.json");
  const { reloader, lines, idsInUse } = start(path, fileOf("a"));
  const put = (make: () => void) => {
    rmSync(path, { recursive: true, force: true });
    make();
    reloader.reload();
    return lines.at(-1);
  };
  expect(put(() => void Bun.spawnSync(["mkfifo", path]))).toContain("is not a regular file");
  expect(put(() => mkdirSync(path))).toContain("is not a regular file");
  expect(put(() => writeFileSync(path, Buffer.from(fileOf("\u00e9"), "latin1")))).toContain("is not UTF-8");
  expect(idsInUse()).toBeUndefined();
  put(() => writeFileSync(path, `\ufeff${fileOf("b")}`));
  expect(idsInUse()).toEqual(["b"]);
});

test("every problem of a file is listed with its pointer", () => {
  const key = { sha256: "a".repeat(64) };
  const problems = (file: unknown) => {
    const parsed = parse(typeof file === "string" ? file : JSON.stringify(file));
    if (!(parsed instanceof FileProblems)) throw new Error("no problems");
    return Object.fromEntries(parsed.problems.map(({ pointer, message }) => [pointer, message]));
  };
  expect(Object.keys(problems("{"))).toEqual([""]);
  expect(
    problems({
      callers: [
        { id: "-", keys: [{ sha256: "x", expires_at: "tomorrow" }] },
        { id: "b", keys: [], event_types: [], limits: { events_per_second: 0 } },
        { id: "c", keys: [key], max_durability: "high", admin: true },
        { keys: [key] },
      ],
    }),
  ).toEqual({
    "/callers/0/id": expect.stringContaining("must match"),
    "/callers/0/keys/0/sha256": expect.stringContaining("must match"),
    "/callers/0/keys/0/expires_at": "must be an RFC 3339 date-time, such as 2027-01-31T00:00:00Z",
    "/callers/1/keys": "must not be empty: leave it out, or list at least one",
    "/callers/1/event_types": "must not be empty: leave it out, or list at least one",
    "/callers/1/limits/events_per_second": "must be an integer from 1, got 0",
    "/callers/2/max_durability": "must be one of accepted, durable, stored",
    "/callers/2/admin": "is not a member that is known here",
    "/callers/3/id": "is required",
  });
  expect(
    problems({
      callers: [
        { id: "anonymous", keys: [key, { sha256: "A".repeat(64) }] },
        {
          id: "a",
          keys: [{ sha256: "b".repeat(64) }],
          origins: ["https://a.example/"],
          limits: { burst_events: 1 },
        },
        {
          id: "a",
          keys: [{ sha256: "c".repeat(64) }],
          default_durability: "stored",
          max_durability: "durable",
        },
      ],
    }),
  ).toEqual({
    "/callers/0/id": '"anonymous" is reserved: choose another id',
    "/callers/0/keys/1/sha256": "is the same as /callers/0/keys/0/sha256",
    "/callers/1/origins/0": expect.stringContaining("must be an origin"),
    "/callers/1/limits/burst_events": "requires events_per_second",
    "/callers/2/id": "is the same as /callers/1/id",
    "/callers/2/default_durability": '"stored" is higher than max_durability ("durable")',
  });
});
