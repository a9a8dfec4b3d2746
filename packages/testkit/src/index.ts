export { canCreateCertificates, createCertificate } from "./certificate.ts";
export { childrenOf } from "./child-processes.ts";
export { Random } from "./random.ts";
export { RawSocket } from "./raw-socket.ts";
export { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
export { until } from "./until.ts";
