export * from "./create.ts";
export * from "./settings.ts";
export { toTopicLimits } from "./topic-limits.ts";
export * from "./types.ts";
