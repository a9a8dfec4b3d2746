import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import type { Subprocess } from "bun";
import { LineWriter } from "./line-writer.ts";

const { path: folder, [Symbol.dispose]: removeFolder } = temporaryFolder("line-writer");
const readers: Subprocess[] = [];
afterAll(() => {
  for (const reader of readers) reader.kill("SIGKILL");
  removeFolder();
});

/** A named pipe to a process that reads it. */
function pipeTo(command: string[]) {
  const path = join(folder, `pipe-${crypto.randomUUID()}`);
  Bun.spawnSync(["mkfifo", path]);
  const reader = Bun.spawn(["sh", "-c", `exec "$@" < "${path}"`, "sh", ...command], { stdout: "pipe" });
  readers.push(reader);
  // Opening waits for the reader to have opened it.
  const fd = openSync(path, constants.O_WRONLY);
  return { fd, reader };
}

/** A writer whose writes the test completes. */
function byHand(fd = -1) {
  const writes: { text: string; done: (error: NodeJS.ErrnoException | null, count: number) => void }[] = [];
  let wake = () => {};
  const writer = new LineWriter(fd, undefined, (_fd, bytes, at, done) => {
    writes.push({ text: bytes.subarray(at).toString(), done });
    wake();
  });
  async function nextWrite(text: string) {
    if (writes.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    expect(writes[0]?.text).toBe(text);
    return writes.shift()!;
  }
  return { writer, nextWrite };
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

  test("overlapping flushes each cover the lines before them", async () => {
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

  test("lines are written without a flush too", async () => {
    const path = join(folder, "c.log");
    const writer = new LineWriter(openSync(path, "w"));
    writer.write("one\n");
    await until("the line", () => readFileSync(path, "utf8") !== "");
    expect(readFileSync(path, "utf8")).toBe("one\n");
  });

  test("flushSync writes buffered lines", () => {
    const path = join(folder, "d.log");
    const writer = new LineWriter(openSync(path, "w"));
    writer.write("last words\n");
    writer.flushSync();
    expect(readFileSync(path, "utf8")).toBe("last words\n");
  });

  test("a reader that stops reading delays the flush, not the event loop", async () => {
    const start = join(folder, "start");
    const { fd, reader } = pipeTo(["sh", "-c", `until [ -e "${start}" ]; do sleep 0.01; done; wc -l`]);
    const writer = new LineWriter(fd);
    // More than a pipe holds (64 KiB).
    writer.write(`${"x".repeat(99)}\n`.repeat(5_000));
    let isFlushed = false;
    const flushed = writer.flush().then(() => {
      isFlushed = true;
    });
    // The loop turns, and the write can't be over: nothing has been read.
    await new Promise(setImmediate);
    expect(isFlushed).toBe(false);
    await Bun.write(start, "");
    await flushed;
    closeSync(fd);
    expect((await new Response(reader.stdout).text()).trim()).toBe("5000");
  });

  test("no flush resolves before its own lines are written, however many share the write", async () => {
    const { writer, nextWrite } = byHand();
    writer.write("a");
    const first = writer.flush();
    writer.write("b");
    const over: number[] = [];
    const others = [0, 1, 2].map((n) => writer.flush().then(() => over.push(n)));
    (await nextWrite("a")).done(null, 1);
    await first;
    const second = await nextWrite("b");
    expect(over).toEqual([]);
    second.done(null, 1);
    await Promise.all(others);
    expect(over).toHaveLength(3);
  });

  test("a full non-blocking pipe loses and repeats nothing", async () => {
    const { writer, nextWrite } = byHand();
    writer.write("0123456789");
    const flushed = writer.flush();
    (await nextWrite("0123456789")).done(Object.assign(new Error("full"), { code: "EAGAIN" }), 0);
    (await nextWrite("0123456789")).done(null, 4);
    (await nextWrite("456789")).done(null, 6);
    await flushed;
  });

  // Fault: the last lines were written during a write that waited for its reader: into the middle of a half-written line,
  // or, on a blocking pipe, for ever, so that the process never exited.
  test("flushSync writes nothing during a write", async () => {
    const path = join(folder, "f.log");
    const { writer, nextWrite } = byHand(openSync(path, "w"));
    writer.write("half of a line, and the rest\n");
    const flushed = writer.flush();
    const write = await nextWrite("half of a line, and the rest\n");
    writer.write("last words\n");
    writer.flushSync();
    expect(readFileSync(path, "utf8")).toBe("");
    write.done(null, 29);
    await flushed;
  });

  test("a reader that is gone is reported once, and fails the flush", async () => {
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

  test("a stream's writes keep their order among the others", async () => {
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
