import { expect, test } from "bun:test";
import { Exchange } from "./exchange.ts";

test("answers find their questions, in whatever order they come", async () => {
  const exchange = new Exchange<string>();
  const asked: number[] = [];
  const ask = () => exchange.ask((id) => void asked.push(id), 10_000);
  const [first, second] = [ask(), ask()];
  exchange.answered(asked[1]!, "b");
  exchange.answered(asked[0]!, "a");
  expect(await Promise.all([first, second])).toEqual(["a", "b"]);
});

test("no answer in time is none, and one that comes later is dropped", async () => {
  const exchange = new Exchange<string>();
  let asked = -1;
  const send = (id: number) => {
    asked = id;
  };
  expect(await exchange.ask(send, 1)).toBeUndefined();
  exchange.answered(asked, "late");
});

test("a channel that is closed gives no answer", async () => {
  const closed = () => {
    throw new Error("closed");
  };
  expect(await new Exchange<string>().ask(closed, 10_000)).toBeUndefined();
});
