export { type ConsumerProcess, startConsumer, startReplay } from "./consumer-process.ts";
export type { LogLine } from "./log-lines.ts";
export { ProducerProcess, startProducer } from "./producer-process.ts";
export { ServiceProcess } from "./service-process.ts";
