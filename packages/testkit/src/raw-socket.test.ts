import { expect, test } from "bun:test";
import { RawSocket } from "./raw-socket.ts";

test("collects what is received, until the other side closes", async () => {
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, chunk) {
        socket.write(chunk);
        if (chunk.toString().endsWith("end")) socket.end();
      },
    },
  });
  using socket = new RawSocket(server.port);
  socket.write("a");
  expect(await socket.untilReceived("a")).toBe("a");
  socket.write("a");
  expect(await socket.untilReceived("a", 2)).toBe("aa");
  socket.write("end");
  expect(await socket.untilClosed()).toBe("aaend");
});

test("is closed when nothing listens on the port", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop();
  using socket = new RawSocket(port);
  expect(await socket.untilClosed()).toBe("");
});
