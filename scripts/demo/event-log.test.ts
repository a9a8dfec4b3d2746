import { expect, test } from "bun:test";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { EventLines, untilLogged } from "./event-log.ts";

async function withLog(work: (file: string) => Promise<void>): Promise<void> {
  using temporary = temporaryFolder("event-log");
  const folder = temporary.path;
  await work(join(folder, "consumer.log"));
}

const line = (id: string) => `{"message":"event","event_id":"${id}","payload":{"näme":"ü"}}\n`;

test("counts complete event lines as the log grows", () =>
  withLog(async (file) => {
    await writeFile(
      file,
      `{"message":"connected and waiting for messages"}\n${line("a")}${line("b").slice(0, 30)}`,
    );
    const log = new EventLines(file);
    await log.readNew();
    expect([log.lines, log.events]).toEqual([1, 1]);
    await appendFile(file, line("b").slice(30) + line("a") + line('quoted \\" id'));
    await log.readNew();
    await log.readNew();
    expect([log.lines, log.events]).toEqual([4, 3]);
    expect(log.last.at(-1)).toContain("quoted");
  }));

test("waits for the expected events, up to the idle time", () =>
  withLog(async (file) => {
    await writeFile(file, line("a"));
    const late = untilLogged(new EventLines(file), 2, 10_000);
    await appendFile(file, line("b"));
    expect(await late).toBe(true);
    expect(await untilLogged(new EventLines(file), 3, 50)).toBe(false);
  }));
