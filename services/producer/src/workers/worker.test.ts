import { expect, test } from "bun:test";
import pino from "pino";
import type { FromParent, FromWorker } from "./messages.ts";
import { aggregateHealth } from "./worker.ts";

function worker(send: (message: FromWorker, reply: (message: FromParent) => void) => void) {
  let deliver!: (message: FromParent) => void;
  const health = aggregateHealth(
    {
      send: (message) => send(message, deliver),
      onMessage: (handle) => {
        deliver = handle;
      },
      onClose: () => {},
    },
    pino({ level: "silent" }),
  )({
    live: () => ({ ok: true }),
    ready: () => ({ ok: false, own: true }),
    metrics: async () => "own figures",
    metricsJson: async () => [{ name: "a" }],
  });
  return { health, deliver: (message: FromParent) => deliver(message) };
}

test("answers what the parent says of all", async () => {
  const { health } = worker((message, reply) => {
    if (message.type === "ask")
      reply({ type: "answered", id: message.id, ready: { ok: true }, metrics: "all figures" });
  });
  expect(await health.ready()).toMatchObject({ ok: true });
  expect(await health.metrics()).toBe("all figures");
  expect(await health.live()).toEqual({ ok: true });
});

test("answers for itself when the parent is gone", async () => {
  const { health } = worker(() => {
    throw new Error("closed");
  });
  expect(await health.ready()).toEqual({ ok: false, own: true });
  expect(await health.metrics()).toBe("own figures");
});

test("reports when it is asked to", async () => {
  const { promise, resolve } = Promise.withResolvers<FromWorker>();
  const { deliver } = worker(resolve);
  deliver({ type: "report", id: 3 });
  expect(await promise).toEqual({
    type: "reported",
    id: 3,
    ready: { ok: false, own: true },
    metrics: [{ name: "a" }],
  });
});

test("says that it is alive when it is asked", async () => {
  const { promise, resolve } = Promise.withResolvers<FromWorker>();
  const { deliver } = worker(resolve);
  deliver({ type: "ping", id: 4 });
  expect(await promise).toEqual({ type: "pong", id: 4 });
});
