// Both clients against a server whose every byte the test decides.
import { afterEach, describe, expect, test } from "bun:test";
import { until } from "@ingest/testkit";
import type { Socket, TCPSocketListener } from "bun";
import type { Client, CreateClient, FailureKind, ResponseHandler } from "./client.ts";
import { createFetchClient } from "./fetch-client.ts";
import { createSocketClient } from "./socket-client.ts";

interface Peer {
  /** Bytes received on this connection without a response yet. */
  received: string;
  requests: number;
}

/** Called with the body of each complete request, and its number on its connection. */
type Script = (socket: Socket<Peer>, body: string, nth: number) => void;

const clients: Client[] = [];
const servers: TCPSocketListener<Peer>[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) server.stop(true);
});

function serve(script: Script) {
  const seen = { connections: 0, closed: 0, heads: [] as string[] };
  const server = Bun.listen<Peer>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        seen.connections++;
        socket.data = { received: "", requests: 0 };
      },
      close() {
        seen.closed++;
      },
      data(socket, chunk) {
        const peer = socket.data;
        peer.received += chunk.toString("latin1");
        const headEnd = peer.received.indexOf("\r\n\r\n");
        const head = peer.received.slice(0, headEnd);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (headEnd < 0 || peer.received.length < headEnd + 4 + length) return;
        seen.heads.push(head);
        const body = peer.received.slice(headEnd + 4);
        peer.received = "";
        script(socket, body, ++peer.requests);
      },
    },
  });
  servers.push(server);
  return { url: new URL(`http://127.0.0.1:${server.port}/register_event?a=b`), seen };
}

/** A client whose outcomes can be waited for, one by one. */
function connect(create: CreateClient, url: URL, slots = 1) {
  const outcomes: string[] = [];
  let wake = () => {};
  const note = (slot: number, outcome: string) => {
    outcomes.push(`${slot} ${outcome}`);
    wake();
  };
  const handler: ResponseHandler = {
    onResponse: (slot, status, body) => note(slot, `${status} ${body}`),
    onFailure: (slot, kind: FailureKind) => note(slot, kind),
  };
  const client = create(
    { url, headers: { "Content-Type": "application/json", Prefer: "durability=stored" } },
    slots,
    handler,
  );
  clients.push(client);
  return {
    client,
    outcomes,
    async next(): Promise<string> {
      while (outcomes.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return outcomes.shift()!;
    },
  };
}

const responseWith = (body: string, headers = "") =>
  `HTTP/1.1 202 Accepted\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

describe.each<[string, CreateClient]>([
  ["socket", createSocketClient],
  ["fetch", createFetchClient],
])("%s client", (name, create) => {
  test("posts path, query, headers and body, and keeps the connection", async () => {
    const { url, seen } = serve((socket, body) => void socket.write(responseWith(body.toUpperCase())));
    const { client, next } = connect(create, url);
    for (const body of ["a", "bc", "d".repeat(1000)]) {
      client.send(0, body);
      expect(await next()).toBe(`0 202 ${body.toUpperCase()}`);
    }
    expect(seen.connections).toBe(1);
    const head = seen.heads[0]!.toLowerCase();
    expect(head).toStartWith("post /register_event?a=b http/1.1\r\n");
    for (const line of [`host: ${url.host}`, "content-type: application/json", "prefer: durability=stored"]) {
      expect(head).toContain(`\r\n${line}`);
    }
  });

  test("slots are independent: a slow response delays no other", async () => {
    let slow: Socket<Peer> | undefined;
    const { url } = serve((socket, body) => {
      if (body === "slow") slow = socket;
      else socket.write(responseWith(body));
    });
    const { client, next } = connect(create, url, 3);
    client.send(0, "slow");
    client.send(1, "x");
    expect(await next()).toBe("1 202 x");
    client.send(2, "y");
    expect(await next()).toBe("2 202 y");
    slow!.write(responseWith("z"));
    expect(await next()).toBe("0 202 z");
  });

  test("reads a response in pieces, chunked or until close", async () => {
    const pieces = [
      "HTTP/1.1 503 Ser",
      "vice Unavailable\r\nTransfer-Enc",
      "oding: chunked\r\n\r\n2\r\nno",
      "\r\n0\r\n\r\n",
    ];
    const { url } = serve(async (socket, _body, nth) => {
      if (nth === 1) {
        for (const piece of pieces) {
          socket.write(piece);
          socket.flush();
          await Bun.sleep(5);
        }
      } else {
        socket.end("HTTP/1.1 200 OK\r\n\r\nall of it");
      }
    });
    const { client, next } = connect(create, url);
    client.send(0, "1");
    expect(await next()).toBe("0 503 no");
    client.send(0, "2");
    expect(await next()).toBe("0 200 all of it");
  });

  test("connects again after Connection: close, and after a close between requests", async () => {
    const { url, seen } = serve((socket, body) => {
      if (body === "last") socket.end(responseWith(body));
      else socket.end(responseWith(body, "Connection: close\r\n"));
    });
    const { client, next } = connect(create, url);
    client.send(0, "first");
    expect(await next()).toBe("0 202 first");
    client.send(0, "last");
    expect(await next()).toBe("0 202 last");
    // A request that is sent before the close arrives fails, and must be reported.
    let outcome: string;
    do {
      client.send(0, "again");
      outcome = await next();
    } while (outcome === "0 connection_closed");
    expect(outcome).toBe("0 202 again");
    expect(seen.connections).toBe(3);
  });

  test.each([
    ["at once", ""],
    ["within the head", "HTTP/1.1 202 Acc"],
    ["within the body", "HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc"],
    ["within a chunk", "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
  ])("a connection closed %s is a failure, and the next request has a new one", async (_, text) => {
    let broken = true;
    const { url } = serve((socket, body) => {
      if (!broken) socket.write(responseWith(body));
      else if (text === "") socket.terminate();
      else socket.end(text);
    });
    const { client, next } = connect(create, url);
    client.send(0, "x");
    expect(await next()).toBe("0 connection_closed");
    broken = false;
    client.send(0, "y");
    expect(await next()).toBe("0 202 y");
  });

  test("a malformed response is a failure", async () => {
    const { url } = serve((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    const { client, next } = connect(create, url);
    client.send(0, "x");
    expect(await next()).toBe(name === "fetch" ? "0 connection_closed" : "0 malformed_response");
  });

  test("nothing listens: the request was not sent", async () => {
    const { url } = serve(() => {});
    servers.pop()!.stop(true);
    const { client, next } = connect(create, url);
    client.send(0, "x");
    expect(await next()).toBe("0 connect_failed");
  });

  test("an aborted request is never reported, and its slot is reusable", async () => {
    const held: Socket<Peer>[] = [];
    const { url } = serve((socket, body) => {
      if (body === "held") held.push(socket);
      else socket.write(responseWith(body));
    });
    const { client, next, outcomes } = connect(create, url);
    client.send(0, "held");
    await until("the request", () => held.length === 1);
    client.abort(0);
    held[0]!.write(responseWith("too late"));
    for (let i = 0; i < 20; i++) {
      client.send(0, `next ${i}`);
      expect(await next()).toBe(`0 202 next ${i}`);
    }
    expect(outcomes).toEqual([]);
  });

  test("a body larger than any socket's buffer arrives complete", async () => {
    let sum = 0;
    const { url } = serve((socket, body) => {
      sum = Bun.hash.crc32(body);
      socket.write(responseWith(String(body.length)));
    });
    const { client, next } = connect(create, url);
    const large = Array.from({ length: 2_000_000 }, (_, i) => i % 10).join("");
    client.send(0, large);
    expect(await next()).toBe(`0 202 ${large.length}`);
    expect(sum).toBe(Bun.hash.crc32(large));
  }, 20_000);
});

describe("socket client", () => {
  test.each([
    ["more than its Content-Length", `${responseWith("ok")}more`],
    ["two responses to one request", responseWith("ok") + responseWith("ok")],
  ])("%s: not to be trusted", async (_, text) => {
    const { url } = serve((socket) => void socket.write(text));
    const { client, next } = connect(createSocketClient, url);
    client.send(0, "x");
    expect(await next()).toBe("0 malformed_response");
  });

  test("a response without a request closes the connection, not the slot", async () => {
    let unrequested: (() => void) | undefined;
    const { url, seen } = serve((socket, body) => {
      socket.write(responseWith(body));
      if (body === "a") unrequested = () => socket.write(responseWith("unrequested"));
    });
    const { client, next } = connect(createSocketClient, url);
    client.send(0, "a");
    expect(await next()).toBe("0 202 a");
    unrequested?.();
    await until("the close", () => seen.closed === 1);
    client.send(0, "b");
    expect(await next()).toBe("0 202 b");
    expect(seen.connections).toBe(2);
  });
});
