import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { RawSocket } from "../raw-socket.ts";
import { until } from "../until.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** An echo server behind a proxy, and clients of the proxy. */
async function echo() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await TcpProxy.start({ targetPort: (server.address() as { port: number }).port });
  const clients: RawSocket[] = [];
  const client = () => {
    const connected = new RawSocket(proxy.port);
    clients.push(connected);
    return connected;
  };
  return {
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      for (const connected of clients) connected[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
      server.close();
    },
  };
}

test("forwards bytes in both directions", async () => {
  await using setup = await echo();
  const client = setup.client();
  client.write("hello");
  await until("the echo", () => client.received === "hello");
});

test("cut: resets open and new connections until restored", async () => {
  await using setup = await echo();
  const before = setup.client();
  before.write("a");
  await until("the echo", () => before.received === "a");
  setup.proxy.cut();
  await until("the reset", () => before.isClosed);
  const during = setup.client();
  await until("the refusal", () => during.isClosed);
  setup.proxy.restore();
  const after = setup.client();
  after.write("b");
  await until("the echo", () => after.received === "b");
});

test("silence: connections stay open, and what was sent arrives once restored", async () => {
  await using setup = await echo();
  const client = setup.client();
  client.write("a");
  await until("the echo", () => client.received === "a");
  setup.proxy.silence();
  client.write("b");
  const late = setup.client();
  late.write("c");
  await until("the second connection", () => setup.proxy.connections === 2);
  expect([client.received, late.received, client.isClosed]).toEqual(["a", "", false]);
  setup.proxy.restore();
  await until("the held bytes", () => client.received === "ab" && late.received === "c");
});

test("slow: all bytes arrive, in order", async () => {
  await using setup = await echo();
  setup.proxy.slow({ delayMs: 2, bytesPerSecond: 2_000_000 });
  const client = setup.client();
  const sent = "0123456789".repeat(10_000);
  client.write(sent);
  await until("the echo", () => client.received.length === sent.length);
  expect(client.received).toBe(sent);
});
