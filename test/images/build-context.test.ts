// The images hold what the services run, and nothing that only tests use.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { buildContext, contextCopies, isIncluded, root, toRules, workspaceFolders } from "./build-context.ts";
import { reachableFrom } from "./imports.ts";

/** The programs that run in an image, and the addon's build. */
const programs = [
  "services/producer/src/main.ts",
  "services/consumer/src/main.ts",
  "services/consumer/src/replay.ts",
  "services/producer/src/rejected.ts",
  "services/producer/src/schemas.ts",
  "services/producer/src/callers.ts",
  "bench/src/main.ts",
  "packages/kafka-native/build/install.ts",
];

describe(".dockerignore patterns", () => {
  const rules = toRules("# comment\n*\n!kept\n**/*.test.ts\nkept/left-out\n!kept/left-out/but-this\n");

  test.each([
    ["other/file.ts", false],
    ["kept/file.ts", true],
    ["kept/deep/file.test.ts", false],
    ["kept/left-out/file.ts", false],
    ["kept/left-out/but-this", true],
  ])("%s: included is %p", (file, included) => {
    expect(isIncluded(file, rules)).toBe(included);
  });
});

test("every TypeScript module in the build context belongs to a program of an image", async () => {
  const context = await buildContext();
  expect(context).toEqual(expect.arrayContaining(programs));
  const reached = await reachableFrom(programs);
  expect(context.filter((file) => file.endsWith(".ts") && !reached.has(file))).toEqual([]);
});

test("every module that a program loads is in the build context", async () => {
  const context = new Set(await buildContext());
  const reached = await reachableFrom(programs);
  expect([...reached].filter((file) => !context.has(file))).toEqual([]);
});

test("no module of a program is test support", async () => {
  for (const file of await reachableFrom(programs)) {
    expect(file).not.toStartWith("packages/testkit/");
    if (file.endsWith(".ts"))
      expect(await Bun.file(join(root, file)).text(), file).not.toContain('"bun:test"');
  }
});

test("packages/testkit is nobody's production dependency", async () => {
  for (const folder of await workspaceFolders()) {
    const manifest = (await Bun.file(join(root, folder, "package.json")).json()) as {
      dependencies?: Record<string, string>;
    };
    expect(Object.keys(manifest.dependencies ?? {}), folder).not.toContain("@ingest/testkit");
  }
});

test("the install step has the manifest of every workspace", async () => {
  const copied = (await contextCopies())
    .filter(({ stage, source }) => stage === "dependencies" && source.endsWith("/package.json"))
    .map(({ source }) => source.slice(0, -"/package.json".length));
  expect(copied.sort()).toEqual(await workspaceFolders());
});

test("every COPY of the Dockerfile has something in the build context to copy", async () => {
  const context = await buildContext();
  for (const { stage, source } of await contextCopies()) {
    const found = context.some((file) => file === source || file.startsWith(`${source}/`));
    expect({ stage, source, found }).toEqual({ stage, source, found: true });
  }
});

test("what the images leave out of node_modules is loaded by no program", async () => {
  const dockerfile = (await Bun.file(join(root, "Dockerfile")).text()).replaceAll("\\\n", " ");
  const removed = [...dockerfile.matchAll(/&& rm -rf ([^&\n]+)/g)]
    .flatMap(([, list = ""]) => list.trim().split(/\s+/))
    .filter((name) => /^@?[\w-]+(\/[\w-]+)?$/.test(name));
  expect(removed).toContain("@aws-sdk");
  const modules = ["schemas/registry-client.ts", "schemas/folder-source.ts", "server.ts"];
  const script = `for (const file of ${JSON.stringify(modules)})
    await import(${JSON.stringify(join(root, "services/producer/src"))} + "/" + file);
    console.log(JSON.stringify(Object.keys(require.cache)));`;
  const run = Bun.spawnSync([process.execPath, "-e", script]);
  const loaded = JSON.parse(run.stdout.toString()) as string[];
  expect(loaded.some((path) => path.includes("/node_modules/axios/"))).toBe(true);
  const isRemoved = (path: string) => removed.some((name) => path.includes(`/node_modules/${name}/`));
  expect(loaded.filter(isRemoved)).toEqual([]);
});
