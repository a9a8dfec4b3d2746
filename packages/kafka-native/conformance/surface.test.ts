// docs/native-surface.md against the headers: what is declared is listed, with a case that uses it; what is listed is
// declared.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageDir } from "../build/paths.ts";
import { declaredNames } from "./harness/declared-names.ts";

const document = readFileSync(join(packageDir, "../../docs/native-surface.md"), "utf8");
const ownMembers = document.split("## This package's own members")[1] ?? "";

interface Row {
  name: string;
  caseName: string;
  link: string;
}

const rows: Row[] = [...document.matchAll(/^\| `([^`]+)` \| \[([\w-]+)\]\(([^)]+)\) \|$/gm)].map(
  ([, name, caseName, link]) => ({ name: name!, caseName: caseName!, link: link! }),
);
const own = [...ownMembers.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

test("every declared name is in the document, and every name there is declared", () => {
  expect([...rows.map(({ name }) => name), ...own].sort()).toEqual(declaredNames());
});

test("every name's case exists", () => {
  const missing = rows.filter(({ link }) => !existsSync(join(packageDir, "../../docs", link)));
  expect(missing).toEqual([]);
});

test("every name is used by the C++ of its case", () => {
  const unused = rows.filter(({ name, caseName }) => {
    const source = readFileSync(join(packageDir, "conformance/addon", `${caseName}.cc`), "utf8");
    const last = name.split("::").at(-1)!;
    // Operators are used by their sign, or (conversions, deletions) without being written at all.
    if (last.startsWith("operator")) return false;
    return !new RegExp(`\\b${last}\\b`).test(source);
  });
  expect(unused.map(({ name, caseName }) => `${name} in ${caseName}`)).toEqual([]);
});
