// TLS on real sockets: the handshake and its bounds, another certificate in place, client certificates.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type TLSSocket } from "node:tls";
import {
  canCreateCertificates,
  createCertificate,
  RawSocket,
  type TemporaryFolder,
  temporaryFolder,
  until,
} from "@ingest/testkit";
import { post, TestServer } from "./testing/test-server.ts";

type Certificate = ReturnType<typeof createCertificate>;

describe.skipIf(!canCreateCertificates)("TLS", () => {
  let folder: TemporaryFolder;
  let first: Certificate;
  let second: Certificate;
  beforeAll(() => {
    folder = temporaryFolder("tls");
    first = createCertificate({ folder: folder.path, name: "first" });
    second = createCertificate({ folder: folder.path, name: "second" });
  });
  afterAll(() => folder[Symbol.dispose]());

  const get = async (port: number, { cert }: Certificate) => {
    const response = await fetch(`https://127.0.0.1:${port}/a`, { tls: { ca: cert }, keepalive: false });
    return response.text();
  };

  /** Opens a connection, whatever the server's certificate. */
  const handshake = (port: number, options: object = {}) =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options }, () =>
        resolve(socket),
      );
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("closed")));
    });

  /** @returns what `openssl s_client` says */
  const openssl = async (port: number, ...args: string[]) => {
    const command = ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...args];
    const client = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    return (await Promise.all([client.stdout.text(), client.stderr.text()])).join("");
  };

  test("requests and large responses pass, on one connection", async () => {
    await using server = new TestServer({ tls: first, unsentBudgetBytes: 64 * 1024 * 1024 });
    using socket = new RawSocket(server.port, { ca: first.cert });
    socket.write(post("/echo", "x".repeat(90_000)));
    await socket.untilReceived("x".repeat(90_000));
    socket.write("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect((await socket.untilClosed()).length).toBeGreaterThan(16 * 1024 * 1024);
    expect(server.unsentBudget.used).toBe(0);
  });

  test("a client that sends its last byte with the request gets the response", async () => {
    await using server = new TestServer({ tls: first });
    using socket = new RawSocket(server.port, { ca: first.cert });
    socket.socket.end(post("/echo", "hello"));
    expect(await socket.untilClosed()).toEndWith("hello");
    await until("no connection", () => server.server.connections === 0);
  });

  test("TLS 1.2 and 1.3 are spoken, older versions are not", async () => {
    await using server = new TestServer({ tls: first });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake(server.port, { minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    expect(await openssl(server.port, "-tls1_1")).toContain("protocol version");
  });

  test("ALPN chooses http/1.1, and refuses a client that only speaks HTTP/2", async () => {
    await using server = new TestServer({ tls: first });
    expect(await openssl(server.port, "-alpn", "h2,http/1.1")).toContain("ALPN protocol: http/1.1");
    expect(await openssl(server.port, "-alpn", "h2")).toContain("no application protocol");
    await until("the failed handshake", () => server.server.failedHandshakes === 1);
  });

  test("plain HTTP ends the connection", async () => {
    await using server = new TestServer({ tls: first });
    using plain = new RawSocket(server.port);
    plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await plain.untilClosed();
    expect([server.server.failedHandshakes, server.faults]).toEqual([1, []]);
    expect(await get(server.port, first)).toBe("GET /a");
    await until("no connection", () => server.server.connections === 0);
  });

  test("another certificate is for new connections, and existing ones go on", async () => {
    await using server = new TestServer({ tls: first });
    using before = new RawSocket(server.port, { ca: first.cert });
    before.write(post("/echo", "before"));
    await before.untilReceived("before");
    expect(server.server.replaceTls(second)).toBe(true);
    expect(await get(server.port, second)).toBe("GET /a");
    await expect(get(server.port, first)).rejects.toThrow();
    before.write(post("/echo", "after"));
    await before.untilReceived("after");
  });

  test("no request fails while the certificate is replaced again and again", async () => {
    await using server = new TestServer({ tls: first });
    const ca = [first.cert, second.cert];
    let sent = 0;
    let isOver = false;
    const load = Array.from({ length: 8 }, async (_, client) => {
      while (!isOver) {
        const init = { method: "POST", body: "hello", tls: { ca }, keepalive: client % 2 === 0 };
        const response = await fetch(`https://127.0.0.1:${server.port}/echo`, init);
        expect(await response.text()).toBe("hello");
        sent++;
      }
    });
    for (let round = 1; round <= 20; round++) {
      const before = sent;
      server.server.replaceTls(round % 2 === 0 ? first : second);
      await until("requests after it", () => sent >= before + 50);
    }
    isOver = true;
    await Promise.all(load);
    expect(server.server.failedHandshakes).toBe(0);
  });

  describe("handshakes that do not complete", () => {
    /** The first bytes of a ClientHello. */
    const HALF_HELLO = Buffer.from("160301010001", "hex");

    test("count as connections, and end after headTimeoutMs", async () => {
      await using server = new TestServer({ tls: first, headTimeoutMs: 300 });
      using silent = new RawSocket(server.port);
      using halfway = new RawSocket(server.port);
      halfway.write(HALF_HELLO);
      await until("both connections", () => server.server.connections === 2);
      expect([await silent.untilClosed(), await halfway.untilClosed()]).toEqual(["", ""]);
      await until("no connection", () => server.server.connections === 0);
      expect(server.server.failedHandshakes).toBe(2);
    });

    test("of 1,000 sockets keep nobody out for longer than headTimeoutMs, and leave nothing behind", async () => {
      await using server = new TestServer({ tls: first, headTimeoutMs: 1_000, maxConnections: 500 });
      const flood = Array.from({ length: 1_000 }, (_, index) => {
        const socket = new RawSocket(server.port);
        if (index % 2 === 0) socket.write(HALF_HELLO);
        return socket;
      });
      await until("the refused ones", () => server.server.refusedConnections >= 484);
      expect(server.server.connections).toBeLessThanOrEqual(516);
      await until("a place", () => server.server.connections < 500);
      expect(await get(server.port, first)).toBe("GET /a");
      await until("no connection", () => server.server.connections === 0);
      expect(server.server.failedHandshakes + server.server.refusedConnections).toBeGreaterThanOrEqual(1_000);
      for (const socket of flood) socket[Symbol.dispose]();
      expect([server.budget.used, server.unsentBudget.used, server.faults.length]).toEqual([0, 0, 0]);
    });

    test("do not hold up a stop", async () => {
      await using server = new TestServer({ tls: first });
      using silent = new RawSocket(server.port);
      await until("the connection", () => server.server.connections === 1);
      expect(await server.server.stop(10_000, () => {})).toBe(0);
      expect(await silent.untilClosed()).toBe("");
    });
  });

  test("a health check is handled at the limit of connections", async () => {
    await using server = new TestServer({
      tls: first,
      maxConnections: 1,
      isProbe: ({ path }) => path === "/health",
    });
    using inside = new RawSocket(server.port, { ca: first.cert });
    inside.write(post("/echo", "hello"));
    await inside.untilReceived("hello");
    using probe = new RawSocket(server.port, { ca: first.cert });
    probe.write("GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    expect(await probe.untilClosed()).toMatch(/^HTTP\/1.1 200.*GET \/health$/s);
    using other = new RawSocket(server.port, { ca: first.cert });
    other.write(post("/echo", "hello"));
    expect(await other.untilClosed()).toStartWith("HTTP/1.1 503");
  });

  test("with clientCa, only clients with one of its certificates reach a handler", async () => {
    await using server = new TestServer({ tls: { ...first, clientCa: second.cert } });
    using known = new RawSocket(server.port, { ca: first.cert, cert: second.cert, key: second.key });
    known.write(post("/echo", "known"));
    await known.untilReceived("known");
    for (const own of [{}, { cert: first.cert, key: first.key }]) {
      using other = new RawSocket(server.port, { ca: first.cert, ...own });
      other.write(post("/echo", "other"));
      expect(await other.untilClosed()).toBe("");
    }
    expect(server.handled).toEqual(["known"]);
  });
});
