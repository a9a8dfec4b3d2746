// Elysia on this service's own server: its routes and hooks are Elysia's, what goes in and comes out may be lighter than a
// Request and a Response.
import type { ElysiaAdapter } from "elysia/adapter";
import { BunAdapter } from "elysia/adapter/bun";
import { IncomingRequest } from "./request.ts";
import { LightResponse } from "./response.ts";

type Mapper = (
  value: unknown,
  request?: Request | IncomingRequest,
) => Response | LightResponse | Promise<Response | LightResponse>;

const mapOther = BunAdapter.handler.mapCompactResponse as Mapper;

/** Answers stay what they are for a request of the server's own, and become Responses for one of the Fetch standard. */
const mapCompactResponse: Mapper = (value, request) => {
  if (value instanceof LightResponse) return request instanceof IncomingRequest ? value : value.toResponse();
  if (value instanceof Promise) return value.then((settled) => mapCompactResponse(settled, request));
  return mapOther(value, request);
};

export const lightResponseAdapter: ElysiaAdapter = {
  ...BunAdapter,
  name: "answers",
  handler: {
    ...BunAdapter.handler,
    mapCompactResponse: mapCompactResponse as ElysiaAdapter["handler"]["mapCompactResponse"],
  },
};
