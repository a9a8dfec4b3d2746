import { createServer } from "node:net";
import { BrokerError } from "./errors.ts";

/** Development brokers listen on loopback only: they have no authentication. */
export const loopback = "127.0.0.1";

/** A TCP port that is free right now. */
export async function freePort(): Promise<number> {
  return bindOnce(0);
}

/** Can this process listen on the port now? */
export async function isPortFree(port: number): Promise<boolean> {
  return bindOnce(port).then(
    () => true,
    () => false,
  );
}

/**
 * @param setting how the caller can choose another port, for the message
 * @throws BrokerError `port_busy`
 */
export async function assertPortFree(port: number, setting: string): Promise<void> {
  try {
    await bindOnce(port);
  } catch (thrown) {
    const reason = thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
    throw new BrokerError(
      "port_busy",
      `${loopback}:${port} is not available (${reason}): stop the process that uses it, or choose another port with ${setting}.`,
    );
  }
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: loopback, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}

/**
 * One Metadata request (version 4) for the cluster alone, without topics.
 * https://kafka.apache.org/protocol#The_Messages_Metadata
 */
const metadataRequest = (() => {
  const clientId = "probe";
  const body = Buffer.alloc(8 + 2 + clientId.length + 5);
  body.writeInt16BE(3, 0); // api key: Metadata
  body.writeInt16BE(4, 2); // api version
  body.writeInt32BE(1, 4); // correlation id
  body.writeInt16BE(clientId.length, 8);
  body.write(clientId, 10);
  body.writeInt32BE(0, 10 + clientId.length); // topics: none
  body.writeInt8(0, 14 + clientId.length); // allow_auto_topic_creation
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
})();

/**
 * Does a broker on this port respond, and does its metadata contain a broker? A listening socket is not enough: Kafka opens
 * it before it has joined its own cluster.
 */
export function brokerResponds(port: number, timeoutMs = 2_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let received = Buffer.alloc(0);
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const socket = Bun.connect({
    hostname: loopback,
    port,
    socket: {
      open: (opened) => void opened.write(metadataRequest),
      data: (_, chunk) => {
        received = Buffer.concat([received, chunk]);
        // size, correlation id, throttle time, then the count of brokers
        if (received.length >= 16) resolve(received.readInt32BE(12) > 0);
      },
      close: () => resolve(false),
      error: () => resolve(false),
    },
  });
  socket.catch(() => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.then(
      (opened) => opened.end(),
      () => {},
    );
  });
}
