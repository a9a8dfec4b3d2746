export { Body } from "./body.ts";
export { BunServer } from "./bun-server.ts";
export { ByteBudget } from "./byte-budget.ts";
export type { HttpServerOptions, RequestGuard, RunningServer } from "./options.ts";
export type { Peer } from "./peer.ts";
export {
  HttpRejection,
  payloadTooLarge,
  rejectionStatuses,
} from "./rejection.ts";
export { IncomingRequest } from "./request.ts";
export { RequestHead } from "./request-head.ts";
export { LightResponse, ResponseHead } from "./response.ts";
export { OWN_FIELDS } from "./response-encoder.ts";
export { HttpServer } from "./server.ts";
export type { TlsOptions } from "./tls.ts";
