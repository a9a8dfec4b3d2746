// HTTP/1.1 over Bun.connect: keep-alive, one request a connection at a time, no pipelining.
//
// It exists because Bun's fetch costs 2.4 times as much: 12.8 µs of CPU time a request, compared with 5.3 µs here, of which
// the kernel's send and receive are 3.6 (260 B events, 64 connections; bench/README.md has the commands).
// A load generator that costs more than the server measures itself.
import type { Socket } from "bun";
import type { Client, FailureKind, ResponseHandler, Target } from "./client.ts";
import { ResponseReader } from "./response-reader.ts";

/** One connection of one slot. A slot whose connection ends gets a new one with its next request. */
interface Connection {
  readonly slot: number;
  readonly reader: ResponseReader;
  socket: Socket<Connection> | undefined;
  /** Is a request in flight? */
  busy: boolean;
  /** Bytes that did not fit into the socket's buffer, or that wait for the connection. */
  unsent: Uint8Array | string | undefined;
}

/** @see CreateClient */
export function createSocketClient(target: Target, slots: number, handler: ResponseHandler): Client {
  const connections = new Array<Connection | undefined>(slots).fill(undefined);
  const { hostname, port, tls } = addressOf(target.url);
  const head = requestHead(target);

  const isCurrent = (connection: Connection) => connections[connection.slot] === connection;

  function drop(connection: Connection): void {
    if (isCurrent(connection)) connections[connection.slot] = undefined;
    connection.socket?.terminate();
  }

  function fail(connection: Connection, kind: FailureKind, reason?: string): void {
    if (!isCurrent(connection)) return;
    const wasBusy = connection.busy;
    drop(connection);
    if (wasBusy) handler.onFailure(connection.slot, kind, reason);
  }

  function complete(connection: Connection): void {
    const { slot, reader } = connection;
    if (!connection.busy) {
      fail(connection, "malformed_response", "a response without a request");
      return;
    }
    connection.busy = false;
    if (!reader.keepAlive) drop(connection);
    handler.onResponse(slot, reader.status, reader.body);
  }

  function write(connection: Connection, data: Uint8Array | string): void {
    const written = connection.socket!.write(data);
    if (written < data.length) {
      const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
      connection.unsent = bytes.subarray(Math.max(written, 0));
    }
  }

  const events = {
    open(socket: Socket<Connection>) {
      const connection = socket.data;
      connection.socket = socket;
      if (!isCurrent(connection)) return socket.terminate();
      if (tls && connection.unsent !== undefined) return; // written after the handshake
      flush(connection);
    },
    handshake(socket: Socket<Connection>, success: boolean, error: (Error & { code?: string }) | null) {
      if (success) flush(socket.data);
      else fail(socket.data, "connect_failed", error?.code ?? error?.message);
    },
    drain(socket: Socket<Connection>) {
      flush(socket.data);
    },
    data(socket: Socket<Connection>, chunk: Buffer) {
      const connection = socket.data;
      if (!isCurrent(connection)) return;
      let isComplete: boolean;
      try {
        isComplete = connection.reader.push(chunk);
      } catch (thrown) {
        return fail(connection, "malformed_response", (thrown as Error).message);
      }
      if (isComplete) complete(connection);
      else if (!connection.busy) fail(connection, "malformed_response", "bytes without a request");
    },
    end(socket: Socket<Connection>) {
      socket.terminate();
    },
    close(socket: Socket<Connection>) {
      const connection = socket.data;
      if (!isCurrent(connection)) return;
      if (connection.busy && connection.reader.end()) complete(connection);
      else fail(connection, "connection_closed");
    },
    error(socket: Socket<Connection>, thrown: Error & { code?: string }) {
      fail(socket.data, "connection_closed", thrown.code ?? thrown.message);
    },
  };

  function flush(connection: Connection): void {
    const { unsent } = connection;
    if (unsent === undefined || !isCurrent(connection)) return;
    connection.unsent = undefined;
    write(connection, unsent);
  }

  function connect(slot: number, data: string): void {
    const connection: Connection = {
      slot,
      reader: new ResponseReader(),
      socket: undefined,
      busy: true,
      unsent: data,
    };
    connections[slot] = connection;
    Bun.connect({ hostname, port, tls, data: connection, socket: events }).catch(
      (thrown: Error & { code?: string }) =>
        fail(connection, "connect_failed", thrown.code ?? thrown.message),
    );
  }

  return {
    send(slot, body) {
      const data = `${head}${body.length}\r\n\r\n${body}`;
      const connection = connections[slot];
      if (connection === undefined) return connect(slot, data);
      connection.busy = true;
      write(connection, data);
    },
    abort(slot) {
      const connection = connections[slot];
      if (connection !== undefined) drop(connection);
    },
    close() {
      for (const connection of connections) if (connection !== undefined) drop(connection);
    },
  };
}

/** The address of a URL's server. An IPv6 host loses its brackets. */
export function addressOf(url: URL): { hostname: string; port: number; tls: boolean } {
  const tls = url.protocol === "https:";
  return {
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
  };
}

function requestHead({ url, headers }: Target): string {
  return [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Content-Length: ",
  ].join("\r\n");
}
