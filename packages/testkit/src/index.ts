export { Random } from "./random.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
export { until } from "./until.ts";
