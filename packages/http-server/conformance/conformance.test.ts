// The cases of public suites, on real sockets.
import { afterAll, describe, expect, test } from "bun:test";
import { canCreateCertificates, createCertificate, RawSocket, temporaryFolder } from "@ingest/testkit";
import { TestServer } from "../src/testing/test-server.ts";
import type { Case } from "./case.ts";
import { chunkedCases } from "./cases/chunked.ts";
import { connectionCases } from "./cases/connection.ts";
import { fieldCases } from "./cases/fields.ts";
import { lengthCases } from "./cases/lengths.ts";
import { requestLineCases } from "./cases/request-line.ts";
import { readResponses } from "./read-responses.ts";

const groups = {
  "request lines": requestLineCases,
  "fields and Host": fieldCases,
  "lengths of bodies": lengthCases,
  "the chunked coding": chunkedCases,
  "packets, pipelines and connections": connectionCases,
};

/** Shows that a connection is still open for requests. */
const PROBE = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n";
const PROBE_BODY = "GET /probe";

const plain = new TestServer();
using folder = temporaryFolder("conformance");
const certificate = canCreateCertificates
  ? createCertificate({ folder: folder.path, name: "server" })
  : undefined;
const secure = new TestServer(certificate && { tls: certificate });
afterAll(async () => {
  await plain[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
});
const transports = [
  ["TCP", () => new RawSocket(plain.port)],
  ...(certificate ? [["TLS", () => new RawSocket(secure.port, { ca: certificate.cert })] as const] : []),
] as const;

async function send({ bytes, ends }: Case, socket: RawSocket): Promise<string> {
  const pieces = typeof bytes === "string" ? [bytes] : bytes;
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, "latin1"));
    // In a packet of its own, which has left before the next is written.
    if (pieces.length > 1) await Bun.sleep(1);
  }
  if (ends) return await socket.untilClosed();
  socket.write(PROBE);
  return await socket.untilReceived(PROBE_BODY);
}

describe.each(transports)("over %s", (_, open) => {
  describe.each(Object.entries(groups))("%s", (_, cases) => {
    test.each(cases.map((row) => [row.name, row] as const))("%s", async (_, row) => {
      const { statuses, ends, bodies } = row;
      const methods = [...String(row.bytes).matchAll(/(?:^|\n)HEAD /g)].length;
      using socket = open();
      const responses = readResponses(await send(row, socket), methods > 0);
      if (!ends) expect(responses.pop()).toEqual({ status: 200, body: PROBE_BODY });
      expect(responses.map(({ status }) => status)).toEqual([...statuses]);
      if (bodies !== undefined) expect(responses.map(({ body }) => body)).toEqual([...bodies]);
    });
  });
});

test("no name occurs twice", () => {
  const names = Object.values(groups).flatMap((cases) => cases.map(({ name }) => name));
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
