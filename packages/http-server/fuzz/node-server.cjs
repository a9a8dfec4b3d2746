// Streams through node:http (llhttp, strict), without sockets. Reads lines of JSON from stdin, each a batch of streams in
// base64, and writes for each batch a line with the outcomes. Run by Node itself: Bun's node:http has another parser.
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { Duplex } = require("node:stream");

/** Turns of the event loop until everything that node:http makes of the bytes has happened. */
const TURNS = 4;

const server = createServer({ insecureHTTPParser: false, requireHostHeader: true, keepAliveTimeout: 0 });
server.on("request", accept);
server.on("checkContinue", accept);
server.on("checkExpectation", accept);
// Without a listener a CONNECT destroys the socket, and with it the request before it, whose end may not have been read yet.
server.on("connect", () => {});
server.on("clientError", (error, socket) => {
  // Not destroyed yet: that would abort the requests before the error too.
  socket.outcome.error = error.code;
});

function accept(request, response) {
  const { outcome } = request.socket;
  const accepted = {
    method: request.method,
    target: request.url,
    fields: joinFields(request.rawHeaders),
    body: "",
    isComplete: false,
  };
  outcome.requests.push(accepted);
  request.setEncoding("latin1");
  request.on("data", (piece) => {
    accepted.body += piece;
  });
  request.on("end", () => {
    accepted.isComplete = true;
  });
  request.on("error", () => {});
  response.on("error", () => {});
  response.end();
}

function joinFields(raw) {
  const fields = new Map();
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at].toLowerCase();
    const before = fields.get(name);
    // As node's own `headers` join them.
    const separator = name === "cookie" ? "; " : ", ";
    fields.set(name, before === undefined ? raw[at + 1] : `${before}${separator}${raw[at + 1]}`);
  }
  return [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function readBatch(streams) {
  const sockets = streams.map((stream) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    socket.outcome = { requests: [], error: undefined };
    socket.setTimeout = () => socket;
    socket.on("error", () => {});
    server.emit("connection", socket);
    socket.push(Buffer.from(stream, "base64"));
    return socket;
  });
  for (let turns = 0; turns < TURNS; turns++) await turn();
  const outcomes = sockets.map(({ outcome: { requests, error } }) => ({
    requests: requests
      .filter(({ isComplete }) => isComplete)
      .map(({ isComplete: _, ...accepted }) => accepted),
    error,
  }));
  for (const socket of sockets) socket.destroy();
  return outcomes;
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await readBatch(JSON.parse(line)))}\n`);
  }
}

main();
