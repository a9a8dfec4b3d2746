import { afterAll, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { CommandError, firstError } from "./command.ts";
import { buildFailedMessage, featuresMessage, missingToolsMessage } from "./messages.ts";
import { findToolchain } from "./toolchain.ts";

const { path: bin, [Symbol.dispose]: removeFolder } = temporaryFolder("kafka-native-bin");
afterAll(removeFolder);

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

test("reports everything that is missing at once", async () => {
  const probe = await findToolchain({ PATH: bin });
  expect(probe).toEqual({ missing: ["a C++ compiler (g++ or clang++)", "make", "bash"] });
  expect(missingToolsMessage(["make"])).toContain("lacks make");
});

test("reports whether a compiler is missing or too old", async () => {
  program("g++", "exit 1");
  program("gcc", "exit 0");
  program("make", "exit 0");
  program("bash", "exit 0");
  const probe = await findToolchain({ PATH: bin });
  expect("missing" in probe && probe.missing).toEqual([expect.stringContaining("C++20")]);
});

test("CXX decides, and CC follows it", async () => {
  program("clang++-17", "echo clang version 17");
  program("clang-17", "exit 0");
  expect(await findToolchain({ PATH: bin, CXX: "clang++-17" })).toEqual({
    found: {
      cxx: join(bin, "clang++-17"),
      cc: join(bin, "clang-17"),
      make: join(bin, "make"),
      version: "clang version 17",
    },
  });
  const absent = await findToolchain({ PATH: bin, CXX: "icpc" });
  expect("missing" in absent && absent.missing).toEqual([expect.stringContaining("icpc")]);
});

test("a failed build's message has the first error and the log's place", () => {
  const stderr =
    "In file included from x\nfoo.cc:3:1: error: 'bar' was not declared\nfoo.cc:9:1: error: more";
  const result = { exitCode: 1, stdout: "", stderr };
  expect(firstError(result)).toBe("foo.cc:3:1: error: 'bar' was not declared");
  expect(firstError({ ...result, stderr: "ld: cannot find -lssl: No such file" })).toContain(
    "cannot find -lssl",
  );
  expect(firstError({ ...result, stderr: "configure: odd\n" })).toBe("configure: odd");
  const message = buildFailedMessage(new CommandError(["/usr/bin/g++"], result), "/cache/log");
  expect(message).toContain("'bar' was not declared");
  expect(message).toContain("/cache/log");
});

test("lists the features that are off and how to get them", () => {
  const text = featuresMessage({
    key: "",
    librdkafka: "2.15.1",
    features: ["ssl", "gzip"],
    isStatic: false,
    compiler: "",
  });
  expect(text).toContain("with ssl, gzip");
  expect(text).toContain("libzstd-dev");
  expect(text).not.toContain("libssl-dev");
});
