import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { until } from "@ingest/testkit";
import { TcpProxy } from "./proxy.ts";

/** A server that sends everything back, behind a proxy, and a client of the proxy. */
async function echo() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await TcpProxy.start({ targetPort: (server.address() as { port: number }).port });
  const sockets: Socket[] = [];
  const client = () => {
    const socket = connect(proxy.port, "127.0.0.1");
    const state = { socket, text: "", isClosed: false };
    socket.on("data", (data) => {
      state.text += data.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      state.isClosed = true;
    });
    sockets.push(socket);
    return state;
  };
  return {
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await proxy[Symbol.asyncDispose]();
      server.close();
    },
  };
}

test("passes bytes on both ways", async () => {
  await using setup = await echo();
  const client = setup.client();
  client.socket.write("hello");
  await until("the echo", () => client.text === "hello");
});

test("cut: resets what is open and what is new, until mended", async () => {
  await using setup = await echo();
  const before = setup.client();
  before.socket.write("a");
  await until("the echo", () => before.text === "a");
  setup.proxy.cut();
  await until("the reset", () => before.isClosed);
  const during = setup.client();
  await until("the refusal", () => during.isClosed);
  setup.proxy.mend();
  const after = setup.client();
  after.socket.write("b");
  await until("the echo", () => after.text === "b");
});

test("silence: connections stay open, and what was sent arrives once it is over", async () => {
  await using setup = await echo();
  const client = setup.client();
  client.socket.write("a");
  await until("the echo", () => client.text === "a");
  setup.proxy.silence();
  client.socket.write("b");
  const late = setup.client();
  late.socket.write("c");
  await until("the second connection", () => setup.proxy.connections === 2);
  expect([client.text, late.text, client.isClosed]).toEqual(["a", "", false]);
  setup.proxy.mend();
  await until("what was held", () => client.text === "ab" && late.text === "c");
});

test("slow: everything arrives, whole and in order", async () => {
  await using setup = await echo();
  setup.proxy.slow({ delayMs: 2, bytesPerSecond: 2_000_000 });
  const client = setup.client();
  const sent = "0123456789".repeat(10_000);
  client.socket.write(sent);
  await until("the echo", () => client.text.length === sent.length);
  expect(client.text).toBe(sent);
});
