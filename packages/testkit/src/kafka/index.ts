export { KafkaFixture } from "./kafka-fixture.ts";
export { type OwnBroker, startOwnBroker } from "./own-broker.ts";
export { type ProxiedBroker, startProxiedBroker } from "./proxied-broker.ts";
export { type ProxiedCluster, startProxiedCluster } from "./proxied-cluster.ts";
export { RefusingProxy } from "./refusing-proxy.ts";
export { TcpProxy } from "./tcp-proxy.ts";
