// A cluster whose brokers have two listeners each: one behind a proxy that injects faults, one that clients reach directly.
import { type Broker, type Cluster, freePort, startCluster } from "@ingest/broker";
import { proxiedListeners } from "./proxied-broker.ts";
import { TcpProxy } from "./tcp-proxy.ts";

export interface ProxiedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  /** By broker. */
  readonly brokers: readonly { broker: Broker; proxy: TcpProxy }[];
  /** Bootstrap servers behind the proxies. */
  readonly proxiedServers: string;
  /** Bootstrap servers that bypass the proxies, for what observes the cluster. */
  readonly directServers: string;
}

/** Starts a cluster of the caller's own. A client that bootstraps through a proxy reaches every broker through its proxy. */
export async function startProxiedCluster(brokers: number): Promise<ProxiedCluster> {
  const direct: number[] = [];
  const behindProxy: number[] = [];
  const proxies: TcpProxy[] = [];
  for (let index = 0; index < brokers; index++) {
    direct.push(await freePort());
    behindProxy.push(await freePort());
    proxies.push(await TcpProxy.start({ targetPort: behindProxy[index]! }));
  }
  const cluster = await startCluster({
    brokers,
    ports: direct,
    propertiesOf: (index) =>
      proxiedListeners({
        direct: direct[index]!,
        behindProxy: behindProxy[index]!,
        proxy: proxies[index]!.port,
      }),
  });
  return {
    cluster,
    brokers: cluster.brokers.map((broker, index) => ({ broker, proxy: proxies[index]! })),
    proxiedServers: proxies.map(({ port }) => `127.0.0.1:${port}`).join(","),
    directServers: cluster.bootstrapServers,
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
      await cluster[Symbol.asyncDispose]();
    },
  };
}
