export { cacheFolder, kafkaVersion } from "./artifacts.ts";
export { type Broker, startBroker } from "./broker.ts";
export { type Cluster, startCluster } from "./cluster.ts";
export { BrokerError } from "./errors.ts";
export { freePort, isPortFree } from "./probe.ts";
export { alterTopicConfig, brokerResponds } from "./requests.ts";
export { canStartBroker, sharedBroker } from "./shared.ts";
