export * from "./check.ts";
export { isDateTime } from "./date-time.ts";
export * from "./durability.ts";
export * from "./event.ts";
export * from "./json-depth.ts";
export * from "./problem.ts";
export * from "./records.ts";
