// The cheapest server that answers as the service does: for comparing load generators, which it must outrun.
// Run as a program, with its port as the argument.
const HEAD_END = Buffer.from("\r\n\r\n");
const ID_BEGIN = Buffer.from('"event_id":"');

/** The answer to the request at the start of `bytes`, and where the next one begins; undefined while it isn't whole. */
export function answerFirst(bytes: Buffer): { answer: string; end: number } | undefined {
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
  return { answer: head + body, end };
}

if (import.meta.main) {
  const port = Number(process.argv[2]);
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
        let answers = "";
        for (let found = answerFirst(bytes); found !== undefined; found = answerFirst(bytes)) {
          answers += found.answer;
          bytes = bytes.subarray(found.end);
        }
        // What the runtime hands over may be overwritten by what comes next.
        socket.data.rest = bytes.length === 0 ? undefined : Buffer.from(bytes);
        if (answers !== "") socket.write(answers);
      },
    },
  });
  console.log(`listening on ${port}`);
}
