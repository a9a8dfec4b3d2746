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
