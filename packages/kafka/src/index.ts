export * from "./client-config.ts";
export * from "./errors.ts";
export { readPassThrough } from "./pass-through.ts";
export * from "./records.ts";
export * from "./settings.ts";
