// bun test/integration/hostile-connections.ts PORT COUNT: opens hostile connections to a producer, each the worst of one kind.
// In a process of its own, so that its work is not in the latency that the test's good callers see. Prints "open" once all
// have sent what the producer reads.
import { connect } from "node:net";

const MIB = 1024 * 1024;
const QUIET_MS = 500;

function post(path: string, length: number, body = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const EVENT = '{"event_type":"flood"}';
const stored = post("/register_event?durability=stored", EVENT.length, EVENT);

/** What a connection of each kind sends, once. None reads more than its socket takes by itself. */
const payloads = [
  // A byte behind a refused body of 2 MiB.
  Buffer.from(`${post("/register_events", 2 * MIB, "x".repeat(2 * MIB))}P`),
  // Requests behind a pending one.
  Buffer.from(stored.repeat(5_000)),
  // Responses that are not read.
  Buffer.from("GET /openapi/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n".repeat(5)),
  // A head that does not end.
  Buffer.from(`GET / HTTP/1.1\r\nHost: test\r\nX-Long: ${"x".repeat(7_000)}`),
  // A body that does not end.
  Buffer.from(post("/register_events", 500_000, "x".repeat(100_000))),
  // Silence.
  Buffer.alloc(0),
];

const [port = 0, count = 0] = process.argv.slice(2).map(Number);

const sockets = Array.from({ length: count }, (_, index) => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write(payloads[index % payloads.length]!);
  return socket;
});

/** Bytes that the kernel has not taken yet. */
function unsentBytes(): number {
  return sockets.reduce((sum, socket) => sum + (socket.destroyed ? 0 : socket.writableLength), 0);
}

let unsentBefore = Number.POSITIVE_INFINITY;
const timer = setInterval(() => {
  const unsent = unsentBytes();
  if (unsent === unsentBefore) {
    clearInterval(timer);
    console.log("open");
  }
  unsentBefore = unsent;
}, QUIET_MS);
