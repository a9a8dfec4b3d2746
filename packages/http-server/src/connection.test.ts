// One connection on a socket of the test's own, with the test's clock.
import { expect, test } from "bun:test";
import type { Socket } from "bun";
import { ByteBudget } from "./byte-budget.ts";
import { Connection } from "./connection.ts";
import { createContext } from "./context.ts";
import { LightResponse, ResponseHead } from "./response.ts";

const REQUEST = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
const IDLE_MS = 75_000;

function openConnection() {
  const context = createContext({
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    sendTimeoutMs: 10_000,
    idleTimeoutMs: IDLE_MS,
    minBodyRate: 0,
    budget: new ByteBudget(1_000),
    unsentBudget: new ByteBudget(1_000),
    guards: {},
    fetch: () => new LightResponse(new ResponseHead(200, {}), "ok"),
    toFaultResponse: (error) => {
      throw error;
    },
    onRejected: () => {},
  });
  const sent: string[] = [];
  let isShut = false;
  const socket = {
    remoteAddress: "127.0.0.1",
    write(data: string) {
      sent.push(data);
      return data.length;
    },
    pause() {},
    resume() {},
    shutdown() {
      isShut = true;
    },
  } as unknown as Socket<Connection>;
  return { context, connection: new Connection(context, socket), sent, isShut: () => isShut };
}

test("a connection that has been idle for long is shut half a second after the port was closed, and not before", () => {
  const { context, connection, sent, isShut } = openConnection();
  connection.sweep(1_000);
  connection.sweep(60_000);
  context.isStopping = true;
  context.isPortClosed = true;
  connection.onPortClosed();
  connection.sweep(60_010);
  connection.sweep(60_260);
  expect(isShut()).toBe(false);
  // Sent before its client could learn of the stop.
  connection.onData(REQUEST);
  expect(sent.join("")).toMatch(/^HTTP\/1\.1 200 .*Connection: close.*ok$/s);
  expect(isShut()).toBe(true);
});

test("without a request it is shut then", () => {
  const { context, connection, isShut } = openConnection();
  connection.sweep(1_000);
  context.isPortClosed = true;
  connection.onPortClosed();
  connection.sweep(60_010);
  connection.sweep(60_500);
  expect(isShut()).toBe(false);
  connection.sweep(60_510);
  expect(isShut()).toBe(true);
});
