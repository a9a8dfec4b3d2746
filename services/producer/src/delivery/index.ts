export * from "./create.ts";
export * from "./settings.ts";
export * from "./types.ts";
