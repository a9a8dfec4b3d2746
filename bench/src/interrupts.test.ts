import { expect, test } from "bun:test";
import { onInterrupts } from "./interrupts.ts";

function source() {
  const listeners: (() => void)[] = [];
  const exits: number[] = [];
  return {
    exits,
    press: () => listeners[0]!(),
    on: (_signal: string, listener: () => void) => listeners.push(listener),
    exit: (code: number) => exits.push(code),
  };
}

test("each Ctrl-C goes one step further; an echo from bun run does not", async () => {
  let now = 1000;
  const s = source();
  const { stopSending, stopAll } = onInterrupts(s, () => now);
  const state = () => [stopSending.aborted, stopAll.aborted, s.exits.length];
  s.press();
  s.press();
  expect(state()).toEqual([true, false, 0]);
  now += 1000;
  s.press();
  s.press();
  expect(state()).toEqual([true, true, 0]);
  now += 1000;
  s.press();
  expect(s.exits).toEqual([130]);
});
