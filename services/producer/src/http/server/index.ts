export { type Gate, HttpServer, type HttpServerOptions } from "./server.ts";
