// The PROXY protocol: each header whole and cut at every byte, and on a socket.
import { describe, expect, test } from "bun:test";
import { RawSocket } from "@ingest/testkit";
import { type ProxyHeader, ProxyHeaderReader, parseProxyHeader } from "./proxy-header.ts";
import { HttpRejection } from "./rejection.ts";
import { LightResponse } from "./response.ts";
import { post, TestServer, type TestServerOptions } from "./testing/test-server.ts";

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const v1 = (line: string) => Buffer.from(`${line}\r\n`, "latin1");
function v2(versionAndCommand: number, family: number, content: readonly number[]): Buffer {
  return Buffer.from([
    ...SIGNATURE,
    versionAndCommand,
    family,
    content.length >> 8,
    content.length & 0xff,
    ...content,
  ]);
}
const ipv4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xdd, 0xd5, 0x01, 0xbb];
const ipv6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 7],
  ...[0x20, 0x01, 0x0d, 0xb8, ...Array(11).fill(0), 1],
  ...[0xdd, 0xd5, 0x01, 0xbb],
];
/** PP2_TYPE_NOOP with three bytes. */
const tlv = [0x04, 0x00, 0x03, 0x00, 0x00, 0x00];

const valid: [name: string, header: Buffer, address: string | undefined][] = [
  ["version 1, TCP4", v1("PROXY TCP4 192.0.2.7 10.0.0.1 56789 443"), "192.0.2.7"],
  ["version 1, TCP6", v1("PROXY TCP6 2001:db8::7 2001:db8::1 56789 443"), "2001:db8::7"],
  ["version 1, UNKNOWN", v1("PROXY UNKNOWN"), undefined],
  ["version 1, UNKNOWN with addresses", v1("PROXY UNKNOWN ffff::1 ffff::2 65535 65535"), undefined],
  ["version 2, IPv4", v2(0x21, 0x11, ipv4), "192.0.2.7"],
  ["version 2, IPv6", v2(0x21, 0x21, ipv6), "2001:db8::7"],
  ["version 2, IPv4 and TLVs", v2(0x21, 0x11, [...ipv4, ...tlv, ...tlv]), "192.0.2.7"],
  ["version 2, IPv6 and TLVs", v2(0x21, 0x21, [...ipv6, ...tlv]), "2001:db8::7"],
  ["version 2, LOCAL", v2(0x20, 0x00, []), undefined],
  ["version 2, LOCAL with addresses", v2(0x20, 0x11, ipv4), undefined],
  ["version 2, UNSPEC", v2(0x21, 0x00, tlv), undefined],
  ["version 2, a Unix socket", v2(0x21, 0x31, Array(216).fill(0)), undefined],
];

const malformed: [name: string, header: Buffer][] = [
  ["HTTP", Buffer.from("POST / HTTP/1.1\r\n")],
  ["another protocol", v1("PROXY TCP5 192.0.2.7 10.0.0.1 1 2")],
  ["an address of the other family", v1("PROXY TCP4 2001:db8::7 2001:db8::1 1 2")],
  ["a malformed address", v1("PROXY TCP4 192.0.2.256 10.0.0.1 1 2")],
  ["a malformed port", v1("PROXY TCP4 192.0.2.7 10.0.0.1 1 65536")],
  ["a port with a leading zero", v1("PROXY TCP4 192.0.2.7 10.0.0.1 01 2")],
  ["more than two ports", v1("PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3")],
  ["two spaces", v1("PROXY  TCP4 192.0.2.7 10.0.0.1 1 2")],
  ["a line that is too long", v1(`PROXY UNKNOWN ${"x".repeat(100)}`)],
  ["version 3", v2(0x31, 0x11, ipv4)],
  ["an unknown command", v2(0x22, 0x11, ipv4)],
  ["IPv4 addresses that are too short", v2(0x21, 0x11, ipv4.slice(1))],
  ["IPv6 addresses that are too short", v2(0x21, 0x21, ipv4)],
  ["more TLVs than are read", v2(0x21, 0x11, Array(5_000).fill(0))],
];

describe.each(valid)("%s", (_, bytes, address) => {
  test("is parsed whole, with what follows left alone", () => {
    const expected: ProxyHeader = { address, length: bytes.length };
    expect(parseProxyHeader(bytes)).toEqual(expected);
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from("POST /")]))).toEqual(expected);
  });

  test("is parsed cut at every byte", () => {
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new ProxyHeaderReader();
      expect(reader.read(bytes.subarray(0, cut))).toBeUndefined();
      const result = reader.read(Buffer.concat([bytes.subarray(cut), Buffer.from("GET")]));
      expect(result).toMatchObject({ header: { address }, rest: Buffer.from("GET") });
    }
  });

  test("is parsed byte by byte", () => {
    const reader = new ProxyHeaderReader();
    const results = [...bytes].map((byte) => reader.read(Buffer.from([byte])));
    expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
    expect(results.at(-1)).toMatchObject({ header: { address } });
  });
});

test.each(malformed)("%s is refused, whole and byte by byte", (_, bytes) => {
  expect(parseProxyHeader(bytes)).toBeInstanceOf(HttpRejection);
  const reader = new ProxyHeaderReader();
  const refused = [...bytes].some((byte) => reader.read(Buffer.from([byte])) instanceof HttpRejection);
  expect(refused).toBe(true);
});

describe("on a connection", () => {
  const seen: string[] = [];
  const options: TestServerOptions = {
    finish(response, _, { remoteAddress }) {
      seen.push(remoteAddress);
      return response;
    },
    expectsProxyHeader: (address) => address === "127.0.0.1",
    headTimeoutMs: 100,
  };

  test.each(valid)("%s: the peer has the client's address", async (_, bytes, address = "127.0.0.1") => {
    seen.length = 0;
    await using server = new TestServer(options);
    using socket = new RawSocket(server.port);
    socket.write(Buffer.concat([bytes, Buffer.from(post("/echo", "first"))]));
    await socket.untilReceived("first");
    socket.write(post("/echo", "second"));
    await socket.untilReceived("second");
    expect(seen).toEqual([address, address]);
  });

  test("the header may come in several packets", async () => {
    seen.length = 0;
    await using server = new TestServer({ ...options, headTimeoutMs: 10_000 });
    using socket = new RawSocket(server.port);
    const bytes = Buffer.concat([v1("PROXY TCP4 192.0.2.7 10.0.0.1 1 2"), Buffer.from(post("/echo", "a"))]);
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await socket.untilReceived("200 OK");
    expect(seen).toEqual(["192.0.2.7"]);
  });

  test("without the header a trusted proxy is refused", async () => {
    await using server = new TestServer(options);
    using socket = new RawSocket(server.port);
    socket.write(post("/echo", "a"));
    expect(await socket.untilClosed()).toStartWith("HTTP/1.1 400 ");
    expect(server.handled).toEqual([]);
  });

  test("a header that does not end is timed out", async () => {
    await using server = new TestServer(options);
    using socket = new RawSocket(server.port);
    socket.write("PROXY TCP4");
    expect(await socket.untilClosed()).toStartWith("HTTP/1.1 408 ");
  });

  test.each([
    ["1", v1("PROXY TCP4 192.0.2.7 10.0.0.1 1 2")],
    ["2", v2(0x21, 0x11, ipv4)],
  ])("version %s of a client that is not trusted is no HTTP", async (_, bytes) => {
    const responses: LightResponse[] = [];
    await using server = new TestServer({
      expectsProxyHeader: () => false,
      finish(response) {
        if (response instanceof LightResponse) responses.push(response);
        return response;
      },
    });
    using socket = new RawSocket(server.port);
    socket.write(Buffer.concat([bytes, Buffer.from(post("/echo", "a"))]));
    expect(await socket.untilClosed()).toStartWith("HTTP/1.1 400 ");
    expect(responses.map(({ status }) => status)).toEqual([400]);
    expect(server.handled).toEqual([]);
  });
});
