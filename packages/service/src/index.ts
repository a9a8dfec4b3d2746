export * from "./health.ts";
export * from "./histogram.ts";
export * from "./lifecycle.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./run.ts";
export * from "./settings.ts";
export * from "./settings-table.ts";
