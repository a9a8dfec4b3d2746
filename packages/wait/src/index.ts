export * from "./backoff.ts";
export * from "./pause.ts";
export * from "./time-limit.ts";
