import { expect, test } from "bun:test";
import { DiscardMeter } from "./discard-meter.ts";

const MIB = 1024 * 1024;

test("garbage is collected after each 64 MiB", () => {
  let collections = 0;
  const meter = new DiscardMeter(() => collections++);
  meter.add(63 * MIB);
  expect(collections).toBe(0);
  meter.add(MIB);
  expect(collections).toBe(1);
  meter.add(63 * MIB);
  expect(collections).toBe(1);
  meter.add(2 * MIB);
  expect(collections).toBe(2);
});
