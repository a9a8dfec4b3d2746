import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileNames } from "@ingest/service";
import packageJson from "../../package.json";
import { settingsParts } from "../generate/settings.ts";
import { root } from "../set-up.ts";
import { isEnvironmentName, isPath, namedScripts, readReferences } from "./markdown.ts";

const topFolders = [...new Bun.Glob("*").scanSync({ cwd: root, onlyFiles: false })].filter(
  (name) => name !== "node_modules" && name !== "out" && statSync(join(root, name)).isDirectory(),
);
const files = [
  ...new Bun.Glob("*").scanSync({ cwd: root, dot: true, onlyFiles: true }),
  ...new Bun.Glob(".github/**/*").scanSync({ cwd: root, dot: true, onlyFiles: true }),
  ...topFolders.flatMap((folder) =>
    [...new Bun.Glob(`${folder}/**/*`).scanSync({ cwd: root, dot: true, onlyFiles: true })].filter(
      (file) => !file.includes("node_modules/"),
    ),
  ),
];
const documents = files
  .filter((file) => file.endsWith(".md"))
  .map((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return { file, text, ...readReferences(text) };
  });
const anchorsOf = new Map(documents.map(({ file, anchors }) => [file, anchors]));
/** The changelog names what is gone, too. */
const current = documents.filter(({ file }) => file !== "CHANGELOG.md");

/** Everything but documents, which must not prove each other right. */
const sourceText = files
  .filter((file) => /\.(ts|cjs|h|sh|ya?ml|json)$|Dockerfile$|^\.ci\//.test(file))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");

const secretFileNames = new Set(settingsParts.flatMap(([, rows]) => fileNames(Object.keys(rows))));

const exists = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`));
const existsSomewhere = (path: string) =>
  exists(path) || files.some((file) => file.endsWith(`/${path}`) || file.includes(`/${path}/`));

describe("what the documentation refers to is there", () => {
  test("documents were found", () => {
    expect(documents.map(({ file }) => file)).toContain("README.md");
  });

  test("links and anchors", () => {
    const broken = documents.flatMap(({ file, links }) =>
      links
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [path, anchor] = link.split("#") as [string, string?];
          const target = path === "" ? file : normalize(join(dirname(file), path)).replace(/\/$/, "");
          return !exists(target) || (anchor !== undefined && !anchorsOf.get(target)?.has(anchor));
        })
        .map((link) => `${file}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test("scripts that `bun run` is called with", () => {
    const unknown = current.flatMap(({ file, codeSpans, codeBlocks }) =>
      [...codeSpans, ...codeBlocks]
        .flatMap(namedScripts)
        .filter((name) => !(name in packageJson.scripts) && !exists(name))
        .map((name) => `${file}: bun run ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test("files and folders", () => {
    const missing = current.flatMap(({ file, codeSpans }) =>
      codeSpans
        .filter((span) => isPath(span, topFolders))
        .filter((span) => !existsSomewhere(normalize(span).replace(/\/$/, "")))
        .map((span) => `${file}: ${span}`),
    );
    expect(missing).toEqual([]);
  });

  test('names of tests, written `file` "name"', () => {
    const missing = current.flatMap(({ file, text }) =>
      [...text.matchAll(/`([\w./-]+\.test\.ts)` "([^"]+)"/g)]
        .filter(([, path, name]) =>
          files
            .filter((candidate) => candidate === path || candidate.endsWith(`/${path}`))
            .every((candidate) => !readFileSync(join(root, candidate), "utf8").includes(name!)),
        )
        .map(([reference]) => `${file}: ${reference}`),
    );
    expect(missing).toEqual([]);
  });

  test("environment variables", () => {
    const unknown = current.flatMap(({ file, codeSpans }) =>
      codeSpans
        .filter(isEnvironmentName)
        .filter((name) => !secretFileNames.has(name))
        // A KAFKA_ name is librdkafka's in capitals, with underscores for dots.
        .filter((name) => !sourceText.includes(name))
        .filter(
          (name) =>
            !sourceText.includes(
              name
                .replace(/^KAFKA_/, "")
                .toLowerCase()
                .replaceAll("_", "."),
            ),
        )
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test("messages that docs/operations.md quotes", () => {
    const { codeSpans } = documents.find(({ file }) => file === "docs/operations.md")!;
    const messages = codeSpans
      .filter((span) => span.includes(" ") && !/^(docker |bun |GET |\d|#)/.test(span))
      .map((span) => span.replace(/ ?…$/, ""));
    expect(messages).not.toEqual([]);
    expect(messages.filter((message) => !sourceText.includes(message))).toEqual([]);
  });

  test("metrics", () => {
    const unknown = current.flatMap(({ file, codeSpans }) =>
      codeSpans
        .filter((span) => /^ingest_[a-z_]+$/.test(span))
        .filter((name) => !sourceText.includes(`"${name.replace(/^ingest_(consumer_)?/, "")}"`))
        .filter((name) => !sourceText.includes(`"${name.replace(/^ingest_/, "")}"`))
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

describe("reading a document", () => {
  test("links, anchors, spans and blocks", () => {
    const { links, anchors, codeSpans, codeBlocks } = readReferences(
      "# Settings & `ENV`\n\n## Settings & ENV\n\n[a](b.md#c) ![i](p.svg) `x/y.ts`\n\n```sh\nbun run demo\n```\n",
    );
    expect(links).toEqual(["b.md#c", "p.svg"]);
    expect([...anchors]).toEqual(["settings--env", "settings--env-1"]);
    expect(codeSpans).toEqual(["ENV", "x/y.ts"]);
    expect(codeBlocks).toEqual(["bun run demo\n"]);
  });

  test("scripts", () => {
    expect(namedScripts("npx bun@1.4.5 run demo, then `bun run test:faults --seed 7` and bun run.")).toEqual([
      "demo",
      "test:faults",
    ]);
  });

  test("paths and environment names among code spans", () => {
    expect(
      ["delivery/x.test.ts", "packages/kafka", "a/b", "GET /x", "*.ts"].map((span) =>
        isPath(span, ["packages"]),
      ),
    ).toEqual([true, true, false, false, false]);
    expect(["JOURNAL_DIR", "PORT", "KAFKA_…"].map(isEnvironmentName)).toEqual([true, false, false]);
  });
});
