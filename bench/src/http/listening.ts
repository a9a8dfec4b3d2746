// Checks once that the server listens, so that a wrong address is one clear message and not 100,000 errors.
import { settlesWithin } from "@ingest/wait";
import { addressOf } from "./socket-client.ts";

const CONNECT_TIMEOUT_MS = 5000;

/** No connection can be made to the address. */
export class NothingListensError extends Error {
  override name = "NothingListensError";
  constructor(url: URL, reason: string) {
    super(
      [
        `Nothing listens at ${url.href} (${reason}). Start it with one of:`,
        "  docker compose up --build -d --wait      Kafka, producer and consumer",
        "  bun run demo --keep                      the same without Docker",
        "  bun run producer                         the producer alone, with a Kafka already there",
        "or name another address with --url.",
      ].join("\n"),
    );
  }
}

/** @throws NothingListensError when no connection can be made within five seconds */
export async function assertListening(url: URL): Promise<void> {
  const { hostname, port } = addressOf(url);
  try {
    const connecting = Bun.connect({ hostname, port, socket: { data() {} } });
    if (!(await settlesWithin(connecting, CONNECT_TIMEOUT_MS)))
      throw new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`);
    (await connecting).terminate();
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    throw new NothingListensError(url, code ?? message);
  }
}
