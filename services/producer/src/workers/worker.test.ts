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
    metrics: async () => "own metrics",
    metricsJson: async () => [{ name: "a" }],
  });
  return { health, deliver: (message: FromParent) => deliver(message) };
}

test("responds with the report of the parent", async () => {
  const { health } = worker((message, reply) => {
    if (message.type === "get_service_report")
      reply({ type: "service_report", id: message.id, ready: { ok: true }, metrics: "all metrics" });
  });
  expect(await health.ready()).toMatchObject({ ok: true });
  expect(await health.metrics()).toBe("all metrics");
  expect(await health.live()).toEqual({ ok: true });
});

test("responds with its own report when the parent has ended", async () => {
  const { health } = worker(() => {
    throw new Error("closed");
  });
  expect(await health.ready()).toEqual({ ok: false, own: true });
  expect(await health.metrics()).toBe("own metrics");
});

test("sends its report on request", async () => {
  const { promise, resolve } = Promise.withResolvers<FromWorker>();
  const { deliver } = worker(resolve);
  deliver({ type: "get_worker_report", id: 3 });
  expect(await promise).toEqual({
    type: "worker_report",
    id: 3,
    ready: { ok: false, own: true },
    metrics: [{ name: "a" }],
  });
});

test("replies to a ping", async () => {
  const { promise, resolve } = Promise.withResolvers<FromWorker>();
  const { deliver } = worker(resolve);
  deliver({ type: "ping", id: 4 });
  expect(await promise).toEqual({ type: "pong", id: 4 });
});
