import { expect, test } from "bun:test";
import { createProgressLine } from "./progress.ts";

const sending = {
  phase: "sending",
  elapsedMs: 1500,
  requestsPerSecond: 61_234.5,
  accepted: 90_000,
  refused: 1,
  errors: 2,
  p99Ms: 1.25,
} as const;

function terminal(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text: string) => written.push(text) };
}

test("one line, overwritten, and cleared at the end", () => {
  const t = terminal(true);
  const line = createProgressLine(t);
  line.show(sending);
  line.show({ phase: "verifying", elapsedMs: 200, stored: 5, accepted: 10 });
  line.clear();
  expect(t.written).toEqual([
    "\r\x1b[K1.5 s  61,235 req/s  accepted 90,000  refused 1  errors 2  p99 1.3 ms",
    "\r\x1b[K0.2 s  verifying: 5 of 10 found",
    "\r\x1b[K",
  ]);
});

test("never wider than the terminal: a wrapped line can't be overwritten", () => {
  const t = terminal(true, 20);
  createProgressLine(t).show(sending);
  expect(t.written[0]).toHaveLength("\r\x1b[K".length + 19);
});

test("prints nothing where there is no terminal", () => {
  const t = terminal(false);
  const line = createProgressLine(t);
  line.show(sending);
  line.clear();
  expect(t.written).toEqual([]);
});
