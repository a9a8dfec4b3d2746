import type { Socket } from "bun";
import { assertPortFree, loopback } from "./probe.ts";

export interface EmbeddedBroker extends AsyncDisposable {
  readonly bootstrapServers: string;
}

/**
 * librdkafka's own mock cluster in this process: no Java, no disk, gone with the process. It supports produce,
 * fetch, groups and transactions, creates topics when first mentioned, and has no admin requests.
 *
 * The mock cluster chooses its own port; clients find it through a forwarded `port`, as they find a cluster's other
 * brokers through the first one.
 * @throws BrokerError `port_busy`; and what @ingest/kafka throws where Confluent's client can't be loaded
 */
export async function startEmbedded(options: {
  port: number;
  brokers: number;
  portSetting: string;
}): Promise<EmbeddedBroker> {
  await assertPortFree(options.port, options.portSetting);
  // Imported here, because a real broker must not need the addon.
  const { startMockCluster } = await import("@ingest/kafka");
  const cluster = await startMockCluster({ brokers: options.brokers });
  const forwarder = forward(options.port, cluster.bootstrapServers);
  return {
    bootstrapServers: `${loopback}:${forwarder.port}`,
    async [Symbol.asyncDispose]() {
      forwarder.stop(true);
      await cluster.close();
    },
  };
}

interface Leg {
  peer: Promise<Socket<Leg>>;
  /** Chunks that did not fit into the peer's socket buffer yet. */
  waiting: Buffer[];
}

/** Forwards connections on a local port to the first of `servers`. */
function forward(port: number, servers: string) {
  const [hostname = loopback, target] = servers.split(",", 1)[0]?.split(":") ?? [];
  return Bun.listen<Leg>({
    hostname: loopback,
    port,
    socket: {
      open(client) {
        client.data = { peer: connect(hostname, Number(target), client), waiting: [] };
        client.data.peer.catch(() => client.end());
      },
      data: relay,
      drain: flush,
      close: endPeer,
      error: endPeer,
    },
  });
}

function connect(hostname: string, port: number, client: Socket<Leg>): Promise<Socket<Leg>> {
  return Bun.connect<Leg>({
    hostname,
    port,
    data: { peer: Promise.resolve(client), waiting: [] },
    socket: { data: relay, drain: flush, close: endPeer, error: endPeer },
  });
}

async function relay(from: Socket<Leg>, chunk: Buffer): Promise<void> {
  const copy = Buffer.from(chunk); // the runtime may reuse the chunk's memory after this turn
  const to = await from.data.peer;
  to.data.waiting.push(copy);
  flush(to);
}

function flush(to: Socket<Leg>): void {
  const { waiting } = to.data;
  for (let chunk = waiting[0]; chunk !== undefined; chunk = waiting[0]) {
    const written = to.write(chunk);
    if (written < chunk.length) {
      waiting[0] = chunk.subarray(Math.max(written, 0));
      return;
    }
    waiting.shift();
  }
}

function endPeer(socket: Socket<Leg>): void {
  socket.data.peer.then(
    (peer) => peer.end(),
    () => {},
  );
}
