// A broker of the test's own with two doors: one through a proxy that does harm, one that is always open.
import { type Broker, freePort, startBroker } from "@ingest/broker";
import type { TcpProxy } from "./proxy.ts";

export interface ProxiedBroker<Proxy = TcpProxy> extends AsyncDisposable {
  readonly broker: Broker;
  readonly proxy: Proxy;
  /** Through the proxy. */
  readonly proxiedServers: string;
  /** Past it, for what looks on. */
  readonly directServers: string;
}

const host = "127.0.0.1";

/**
 * Clients are told the address of the door they came in by, so the proxy sees every connection of its clients.
 * @param startProxy starts a proxy on a free port
 */
export async function startProxiedBroker<Proxy extends AsyncDisposable & { readonly port: number }>(
  startProxy: (options: { targetPort: number }) => Promise<Proxy>,
): Promise<ProxiedBroker<Proxy>> {
  const [direct, behindProxy, controller] = [await freePort(), await freePort(), await freePort()];
  const proxy = await startProxy({ targetPort: behindProxy });
  const properties = {
    "controller.quorum.voters": `1@${host}:${controller}`,
    listeners: `PLAINTEXT://${host}:${direct},PROXIED://${host}:${behindProxy},CONTROLLER://${host}:${controller}`,
    "advertised.listeners": `PLAINTEXT://${host}:${direct},PROXIED://${host}:${proxy.port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
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
