// The package as it is published.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import rootManifest from "../../../package.json";
import { buildPackage, gzippedBytes } from "../build/package.ts";

const TIMEOUT_MS = 60_000;
const MAX_GZIPPED_BYTES = 5_000;
const root = join(import.meta.dir, "../../..");
const tsc = join(root, "node_modules/typescript/bin/tsc");
const folder = temporaryFolder("client-package");
const built = join(folder.path, "built");
/** A program's folder, in which the package is installed from the archive that npm makes. */
const program = join(folder.path, "program");
const installed = join(program, "node_modules/@ingest/client");

beforeAll(async () => {
  await buildPackage(built);
  run(["npm", "pack", "--silent", built], folder.path);
  const archive = readdirSync(folder.path).find((file) => file.endsWith(".tgz"))!;
  run(["tar", "-xzf", archive], folder.path);
  mkdirSync(join(installed, ".."), { recursive: true });
  cpSync(join(folder.path, "package"), installed, { recursive: true });
}, TIMEOUT_MS);
afterAll(() => folder[Symbol.dispose]());

function run(command: string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, env: process.env });
  const output = `${stdout}${stderr}`;
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${output}`);
  return output;
}

function write(name: string, text: string): string {
  const path = join(program, name);
  writeFileSync(path, text);
  return path;
}

test("npm packs the modules, their declarations, README and license, with the version of the repository", () => {
  expect(readdirSync(installed).sort()).toEqual(
    [
      ...["index", "indexeddb", "file"].flatMap((name) => [`${name}.js`, `${name}.d.ts`]),
      "LICENSE",
      "README.md",
      "package.json",
      "types.d.ts",
    ].sort(),
  );
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(manifest).toMatchObject({ name: "@ingest/client", version: rootManifest.version, license: "MIT" });
  expect(manifest).not.toHaveProperty("dependencies");
  expect(manifest).not.toHaveProperty("private");
});

test("what a browser loads is below 5 kB gzipped", () => {
  expect(gzippedBytes("index")).toBeLessThan(MAX_GZIPPED_BYTES);
});

describe("a TypeScript program", () => {
  const use = `
    import { createClient, type Client, type EventResult, type EventStore } from "@ingest/client";
    import { createIndexedDbStore } from "@ingest/client/indexeddb";
    const store: EventStore = createIndexedDbStore();
    const client: Client = createClient({ url: "/", store, onInvalid(event, result: EventResult) { event.event_type; } });
    client.track("a", { b: 1 }, { userId: "u", timestamp: new Date() });
    // @ts-expect-error no such durability
    createClient({ url: "/", durability: "safe" });
  `;

  test.each([
    ["for browsers", ["ESNext", "DOM"]],
    ["that knows no platform at all", ["ES2022"]],
  ])(
    "%s gets types that need nothing else",
    (_, lib) => {
      const file = write("browser.ts", use);
      const options = ["--noEmit", "--strict", "--module", "nodenext", "--lib", lib.join(","), "--types", ""];
      run([process.execPath, tsc, ...options, file], program);
    },
    TIMEOUT_MS,
  );

  test(
    "may pass the platform's fetch",
    () => {
      const file = write(
        "fetch.ts",
        `import { createClient } from "@ingest/client";
         createClient({ url: "/", fetch }); createClient({ url: "/", fetch: (url, init) => fetch(url, init) });`,
      );
      const options = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "ESNext,DOM", "--types", ""];
      run([process.execPath, tsc, ...options, file], program);
    },
    TIMEOUT_MS,
  );
});

describe("a program in", () => {
  const text = `
    import { createClient } from "@ingest/client";
    import { createFileStore } from "@ingest/client/file";
    const fetch = async (url, { body }) => {
      const results = JSON.parse(body).map((event, index) => ({ index, status: "accepted", event_id: event.event_id }));
      return new Response(JSON.stringify({ results }), { status: 202 });
    };
    const client = createClient({ url: "http://producer", store: createFileStore("events.log"), fetch });
    client.track("page_view");
    console.log(JSON.stringify([await client.close(), client.stats().delivered]));
  `;

  test.each(["node", process.execPath])("%s imports it, and ends when the client is closed", (runtime) => {
    const file = write("program.mjs", text);
    expect(run([runtime, file], program)).toBe('[{"pending":0},1]\n');
  });

  test("a browser can't import the file store: its bundle fails when it is built", () => {
    const file = write("bundle.mjs", 'import "@ingest/client/file";');
    expect(() => run([process.execPath, "build", "--target=browser", file], program)).toThrow(
      "@ingest/client/file",
    );
    const allowed = write("allowed.mjs", 'import "@ingest/client"; import "@ingest/client/indexeddb";');
    run([process.execPath, "build", "--target=browser", allowed], program);
  });
});
