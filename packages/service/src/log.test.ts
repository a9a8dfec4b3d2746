import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { createLog, isJsonLog, logSettings } from "./log.ts";
import { parseSettings } from "./settings.ts";

function collect(env: Record<string, string>) {
  const written: string[] = [];
  // The pretty format wants a whole stream; the other one takes it as well.
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written.push(chunk.toString());
      done();
    },
  });
  const log = createLog("service", parseSettings(logSettings, env), stream);
  return { log, written };
}

describe("createLog", () => {
  test("JSON lines: level by name, ISO time, the program's name, data in fields, errors with their stack", () => {
    const { log, written } = collect({ LOG_FORMAT: "json" });
    log.warn({ port: 1, error: new Error("why") }, "a constant message");
    const line = JSON.parse(written[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({
      level: "warn",
      name: "service",
      port: 1,
      message: "a constant message",
      error: { message: "why" },
    });
    expect(new Date(line.time as string).toISOString()).toBe(line.time as string);
    expect((line.error as { stack: string }).stack).toContain("log.test.ts");
    expect(Object.keys(line)).not.toContain("pid");
  });

  test("nothing below the level is logged", () => {
    const { log, written } = collect({ LOG_FORMAT: "json", LOG_LEVEL: "error" });
    log.warn({}, "unheard");
    expect(written).toEqual([]);
  });

  test("pretty: text instead of JSON", () => {
    const { log, written } = collect({ LOG_FORMAT: "pretty" });
    log.info({ port: 4321 }, "listening");
    const text = written.join("");
    expect(text).toContain("listening");
    expect(text).toContain("4321");
    expect(text).not.toStartWith("{");
  });
});

test("isJsonLog predicts the format", () => {
  expect(isJsonLog({ LOG_LEVEL: "info", LOG_FORMAT: "json" })).toBe(true);
  expect(isJsonLog({ LOG_LEVEL: "info", LOG_FORMAT: "pretty" })).toBe(false);
  expect(isJsonLog({ LOG_LEVEL: "info", LOG_FORMAT: "auto" })).toBe(!process.stdout.isTTY);
});
