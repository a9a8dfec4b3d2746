// A broker with two listeners: one behind a proxy that injects faults, one that clients reach directly.
import { type Broker, freePort, startBroker } from "@ingest/broker";
import type { TcpProxy } from "./tcp-proxy.ts";

export interface ProxiedBroker<Proxy = TcpProxy> extends AsyncDisposable {
  readonly broker: Broker;
  readonly proxy: Proxy;
  /** Bootstrap servers behind the proxy. */
  readonly proxiedServers: string;
  /** Bootstrap servers that bypass the proxy, for what observes the cluster. */
  readonly directServers: string;
}

const host = "127.0.0.1";

/**
 * Starts a broker of the caller's own. Each listener advertises its own address, so every connection of a client that
 * bootstraps through the proxy goes through the proxy.
 * @param startProxy starts a proxy on a free port
 */
export async function startProxiedBroker<Proxy extends AsyncDisposable & { readonly port: number }>(
  startProxy: (options: { targetPort: number }) => Promise<Proxy>,
): Promise<ProxiedBroker<Proxy>> {
  const [direct, behindProxy, controller] = [await freePort(), await freePort(), await freePort()];
  const proxy = await startProxy({ targetPort: behindProxy });
  const listeners = proxiedListeners({ direct, behindProxy, proxy: proxy.port });
  const properties = {
    ...listeners,
    "controller.quorum.voters": `1@${host}:${controller}`,
    listeners: `${listeners.listeners},CONTROLLER://${host}:${controller}`,
  };
  const broker = await startBroker({ port: direct, properties });
  return {
    broker,
    proxy,
    proxiedServers: `${host}:${proxy.port}`,
    directServers: broker.bootstrapServers,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

/**
 * A broker's properties for a second listener that is reached through a proxy. Each listener advertises its own address, so
 * that a client which bootstraps through the proxy stays behind it.
 */
export function proxiedListeners(ports: { direct: number; behindProxy: number; proxy: number }) {
  return {
    listeners: `PLAINTEXT://${host}:${ports.direct},PROXIED://${host}:${ports.behindProxy}`,
    "advertised.listeners": `PLAINTEXT://${host}:${ports.direct},PROXIED://${host}:${ports.proxy}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
  };
}
