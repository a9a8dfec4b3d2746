export { cacheFolder, kafkaVersion } from "./artifacts.ts";
export { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export { brokerAnswers, freePort, isPortFree } from "./probe.ts";
export { canStartBroker, type SharedBroker, sharedBroker } from "./shared.ts";
