export * from "./create.ts";
export { JournalError } from "./journal/errors.ts";
export * from "./settings.ts";
export * from "./types.ts";
