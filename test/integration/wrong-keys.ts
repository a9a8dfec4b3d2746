// bun test/integration/wrong-keys.ts PORT COUNT: connections that send one request after the other, each with another wrong
// key. Prints "open" once each of them has been refused.
import { connect } from "node:net";

const EVENT = '{"event_type":"flood"}';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
let sent = 0;
let refused = 0;

for (let n = 0; n < count; n++) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const send = () =>
    socket.write(
      `POST /register_event HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer wrong-${sent++}\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`,
    );
  socket.on("connect", send);
  socket.once("data", () => {
    if (++refused === count) console.log("open");
  });
  socket.on("data", (data) => {
    if (!data.toString().startsWith("HTTP/1.1 401 ")) throw new Error(`not refused: ${data}`);
    send();
  });
}
