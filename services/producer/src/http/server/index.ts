export { HttpServer, type HttpServerOptions, type RequestGuard } from "./server.ts";
