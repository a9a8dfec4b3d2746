// The cheapest server with the service's responses: it must outrun the load generators that are compared on it.
import { type Command, runCommand } from "@ingest/cli-flags";

const HEAD_END = Buffer.from("\r\n\r\n");
const ID_BEGIN = Buffer.from('"event_id":"');

/** @returns the response to the first request in `bytes` and where the next begins; undefined while it is incomplete */
function respondToFirst(bytes: Buffer): { response: string; end: number } | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const bodyBegin = headEnd + HEAD_END.length;
  const length = /^content-length: *(\d+)/im.exec(bytes.toString("latin1", 0, headEnd))?.[1] ?? "0";
  const end = bodyBegin + Number(length);
  if (bytes.length < end) return undefined;
  const at = bytes.indexOf(ID_BEGIN, bodyBegin);
  const idBegin = at + ID_BEGIN.length;
  const id = at < 0 ? "" : bytes.toString("latin1", idBegin, bytes.indexOf(0x22, idBegin));
  const body = `{"status":"accepted","event_id":"${id}"}`;
  const head = `HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { response: head + body, end };
}

const command = {
  name: "bun benchmarks/peers/echo-server.ts",
  about: "Accepts every event at once, on loopback: a server to compare load generators on.",
  flags: { port: { kind: "integer", min: 1, max: 65_535, default: "3999", help: "the port on 127.0.0.1" } },
} as const satisfies Command;

function listen(port: number): void {
  Bun.listen<{ rest: Buffer | undefined }>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.data = { rest: undefined };
      },
      data(socket, chunk) {
        const { rest } = socket.data;
        let bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
        let responses = "";
        for (let found = respondToFirst(bytes); found !== undefined; found = respondToFirst(bytes)) {
          responses += found.response;
          bytes = bytes.subarray(found.end);
        }
        // The runtime may reuse the chunk's memory.
        socket.data.rest = bytes.length === 0 ? undefined : Buffer.from(bytes);
        if (responses !== "") socket.write(responses);
      },
    },
  });
  console.log(`listening on ${port}`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), ({ values }) => {
  listen(values.port);
  return 0;
});
