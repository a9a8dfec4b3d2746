import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { LineWriter } from "./line-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "line-writer-"));
const readers: Subprocess[] = [];
afterAll(() => {
  for (const reader of readers) reader.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A pipe by name: what is written to `fd` can be read by the returned process. */
function pipeTo(command: string[], flags = constants.O_WRONLY) {
  const path = join(folder, `pipe-${crypto.randomUUID()}`);
  Bun.spawnSync(["mkfifo", path]);
  const reader = Bun.spawn(["sh", "-c", `exec "$@" < "${path}"`, "sh", ...command], { stdout: "pipe" });
  readers.push(reader);
  // Opening waits for the reader to have opened it.
  const fd = openSync(path, flags === constants.O_WRONLY ? flags : constants.O_RDWR | flags);
  return { fd, reader };
}

describe("LineWriter", () => {
  test("flush resolves when everything taken before is in the file, in order", async () => {
    const path = join(folder, "a.log");
    const writer = new LineWriter(openSync(path, "w"));
    let expected = "";
    for (let i = 0; i < 1_000; i++) {
      const line = `${i} ${"é".repeat(i % 50)}\n`;
      expected += line;
      writer.write(line);
      if (i % 100 === 0) {
        await writer.flush();
        expect(readFileSync(path, "utf8")).toBe(expected);
      }
    }
    await writer.flush();
    expect(readFileSync(path, "utf8")).toBe(expected);
  });

  test("flushes that overlap each cover what came before them", async () => {
    const path = join(folder, "b.log");
    const writer = new LineWriter(openSync(path, "w"));
    writer.write("one\n");
    const first = writer.flush();
    writer.write("two\n");
    const second = writer.flush();
    writer.write("three\n");
    await first;
    expect(readFileSync(path, "utf8")).toStartWith("one\n");
    await second;
    expect(readFileSync(path, "utf8")).toStartWith("one\ntwo\n");
    await writer.flush();
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\nthree\n");
  });

  test("is written without a flush too", async () => {
    const path = join(folder, "c.log");
    const writer = new LineWriter(openSync(path, "w"));
    writer.write("one\n");
    const deadline = performance.now() + 5_000;
    while (readFileSync(path, "utf8") === "" && performance.now() < deadline) await Bun.sleep(1);
    expect(readFileSync(path, "utf8")).toBe("one\n");
  });

  test("what waits at the end is written at once", () => {
    const path = join(folder, "d.log");
    const writer = new LineWriter(openSync(path, "w"));
    writer.write("last words\n");
    writer.flushSync();
    expect(readFileSync(path, "utf8")).toBe("last words\n");
  });

  test("a reader that doesn't read holds up the flush, not the event loop", async () => {
    const start = join(folder, "start");
    const { fd, reader } = pipeTo(["sh", "-c", `until [ -e "${start}" ]; do sleep 0.01; done; wc -l`]);
    const writer = new LineWriter(fd);
    // More than a pipe holds (64 KiB).
    writer.write(`${"x".repeat(99)}\n`.repeat(5_000));
    let isFlushed = false;
    const flushed = writer.flush().then(() => {
      isFlushed = true;
    });
    // The loop turns, and the write isn't over.
    for (let turn = 0; turn < 20; turn++) await Bun.sleep(1);
    expect(isFlushed).toBe(false);
    await Bun.write(start, "");
    await flushed;
    closeSync(fd);
    expect((await new Response(reader.stdout).text()).trim()).toBe("5000");
  });

  test("no flush is over before its own part is, however many wait for the same write", async () => {
    const start = join(folder, "start-2");
    const command = `head -c 200000 > /dev/null; until [ -e "${start}" ]; do sleep 0.01; done; wc -c`;
    const { fd, reader } = pipeTo(["sh", "-c", command]);
    const writer = new LineWriter(fd);
    writer.write("a".repeat(200_000));
    const first = writer.flush();
    writer.write("b".repeat(200_000));
    const over: number[] = [];
    const others = [0, 1, 2].map((n) => writer.flush().then(() => over.push(n)));
    await first;
    // The second part is more than the pipe holds, and isn't read yet.
    for (let turn = 0; turn < 20; turn++) await Bun.sleep(1);
    expect(over).toEqual([]);
    await Bun.write(start, "");
    await Promise.all(others);
    closeSync(fd);
    // head may have taken more than it was asked for.
    expect(Number(await new Response(reader.stdout).text())).toBeLessThanOrEqual(200_000);
  });

  test("a pipe that is full and doesn't block loses and repeats nothing", async () => {
    const { fd, reader } = pipeTo(["sh", "-c", "sleep 0.1; wc -c"], constants.O_NONBLOCK);
    const writer = new LineWriter(fd);
    const text = "0123456789\n".repeat(50_000);
    writer.write(text);
    await writer.flush();
    closeSync(fd);
    expect((await new Response(reader.stdout).text()).trim()).toBe(String(text.length));
  });

  test("a reader that has gone is told of once, and fails the flush", async () => {
    const { fd, reader } = pipeTo(["true"]);
    await reader.exited;
    const broken: string[] = [];
    const writer = new LineWriter(fd, (error) => broken.push((error as NodeJS.ErrnoException).code ?? ""));
    writer.write("to nobody\n");
    await expect(writer.flush()).rejects.toThrow("EPIPE");
    writer.write("again\n");
    await expect(writer.flush()).rejects.toThrow("EPIPE");
    expect(broken).toEqual(["EPIPE"]);
    closeSync(fd);
  });

  test("takes a stream's writes in the same order", async () => {
    const path = join(folder, "e.log");
    const writer = new LineWriter(openSync(path, "w"));
    const stream = writer.toStream();
    writer.write("one\n");
    stream.write("two\n");
    stream.write(Buffer.from("three\n"));
    writer.write("four\n");
    await writer.flush();
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\nthree\nfour\n");
  });
});
