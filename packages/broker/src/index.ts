export { cacheFolder, kafkaVersion } from "./artifacts.ts";
export { type Broker, startBroker } from "./broker.ts";
export { BrokerError } from "./errors.ts";
export { brokerResponds, freePort, isPortFree } from "./probe.ts";
export { canStartBroker, sharedBroker } from "./shared.ts";
