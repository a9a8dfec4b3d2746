export { KafkaFixture } from "./kafka-fixture.ts";
export { type OwnBroker, startOwnBroker } from "./own-broker.ts";
export { type ProxiedBroker, startProxiedBroker } from "./proxied-broker.ts";
export { RefusingProxy } from "./refusing-proxy.ts";
export { TcpProxy } from "./tcp-proxy.ts";
