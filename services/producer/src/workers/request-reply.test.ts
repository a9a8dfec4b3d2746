import { expect, test } from "bun:test";
import { RequestReply } from "./request-reply.ts";

test("replies settle their requests, in whatever order they arrive", async () => {
  const channel = new RequestReply<string>();
  const ids: number[] = [];
  const request = () => channel.request((id) => void ids.push(id), 10_000);
  const [first, second] = [request(), request()];
  channel.onReply(ids[1]!, "b");
  channel.onReply(ids[0]!, "a");
  expect(await Promise.all([first, second])).toEqual(["a", "b"]);
});

test("a request without a reply in time is undefined, and a late reply is ignored", async () => {
  const channel = new RequestReply<string>();
  let sent = -1;
  const send = (id: number) => {
    sent = id;
  };
  expect(await channel.request(send, 1)).toBeUndefined();
  channel.onReply(sent, "late");
});

test("a request over a closed channel is undefined", async () => {
  const closed = () => {
    throw new Error("closed");
  };
  expect(await new RequestReply<string>().request(closed, 10_000)).toBeUndefined();
});
