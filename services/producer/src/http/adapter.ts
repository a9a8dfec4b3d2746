// Elysia on this service's HTTP server: routes and hooks are Elysia's, requests and responses may be the server's lighter ones.
import { IncomingRequest, LightResponse } from "@ingest/http-server";
import type { ElysiaAdapter } from "elysia/adapter";
import { BunAdapter } from "elysia/adapter/bun";

type Mapper = (
  value: unknown,
  request?: Request | IncomingRequest,
) => Response | LightResponse | Promise<Response | LightResponse>;

const mapOther = BunAdapter.handler.mapCompactResponse as Mapper;

/** A light response stays one for an `IncomingRequest`, and becomes a `Response` for a Fetch `Request`. */
const mapCompactResponse: Mapper = (value, request) => {
  if (value instanceof LightResponse) return request instanceof IncomingRequest ? value : value.toResponse();
  if (value instanceof Promise) return value.then((settled) => mapCompactResponse(settled, request));
  return mapOther(value, request);
};

export const lightResponseAdapter: ElysiaAdapter = {
  ...BunAdapter,
  name: "light-response",
  handler: {
    ...BunAdapter.handler,
    mapCompactResponse: mapCompactResponse as ElysiaAdapter["handler"]["mapCompactResponse"],
  },
};
