export { type ClientLog, clientBuild } from "./client.ts";
export * from "./client-config.ts";
export * from "./errors.ts";
export * from "./mock-cluster.ts";
export { readPassThrough } from "./pass-through.ts";
export * from "./producer.ts";
export * from "./records.ts";
export * from "./settings.ts";
export * from "./statistics.ts";
