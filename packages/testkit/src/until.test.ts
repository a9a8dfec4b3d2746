import { expect, test } from "bun:test";
import { until } from "./until.ts";

test("resolves with the first value that is not false, null or undefined", async () => {
  const values = [undefined, null, false, 0, 1];
  expect(await until("a value", () => values.shift())).toBe(0);
});

test("awaits asynchronous conditions", async () => {
  let attempts = 0;
  expect(await until("the third attempt", async () => ++attempts === 3 && "met")).toBe("met");
});

test("names what it waited for once the deadline has passed", async () => {
  expect(until("the impossible", () => false, 20)).rejects.toThrow(
    "timed out after 20 ms waiting for the impossible",
  );
});

test("retries a condition that throws, and reports its last error", async () => {
  let attempts = 0;
  const failing = () => {
    throw new Error(`attempt ${++attempts} failed`);
  };
  const error = await until("success", failing, 20).catch((thrown: Error) => thrown);
  expect(attempts).toBeGreaterThan(1);
  expect(error).toMatchObject({
    message: `timed out after 20 ms waiting for success; last error: attempt ${attempts} failed`,
    cause: new Error(`attempt ${attempts} failed`),
  });
});
