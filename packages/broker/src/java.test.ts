import { expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { findJava, parseJavaVersion } from "./java.ts";

test("reads the versions that Java runtimes print", () => {
  expect(parseJavaVersion('openjdk version "17.0.15" 2025-04-15')?.major).toBe(17);
  expect(parseJavaVersion('java version "1.8.0_402"')?.major).toBe(8);
  expect(parseJavaVersion('openjdk version "25-ea" 2025-09-16')?.major).toBe(25);
  expect(parseJavaVersion('openjdk version "21" 2023-09-19')?.version).toBe("21");
  expect(parseJavaVersion("command not found")).toBeUndefined();
});

test("a missing Java is reported", async () => {
  const found = findJava({ JAVA_HOME: "/nowhere" });
  await expect(found).rejects.toMatchObject({ code: "no_java" });
  await expect(found).rejects.toThrow("/nowhere/bin/java");
});

test("a Java that is too old is reported", async () => {
  using temporary = temporaryFolder("java");
  const home = temporary.path;
  const java = join(home, "bin", "java");
  await mkdir(join(home, "bin"));
  await writeFile(java, `#!/bin/sh\necho 'openjdk version "11.0.22" 2024-01-16' >&2\n`);
  await chmod(java, 0o755);
  const found = findJava({ JAVA_HOME: home });
  await expect(found).rejects.toMatchObject({ code: "java_too_old" });
  await expect(found).rejects.toThrow("11.0.22");
});
