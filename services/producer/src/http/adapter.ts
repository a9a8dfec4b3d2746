// Elysia on this service's HTTP server. Inside, every route and hook gets an IncomingRequest and may return a LightResponse,
// however the request came: from the server, or as a Fetch `Request` by `app.handle`.
import { type HttpServerOptions, IncomingRequest, LightResponse, OWN_FIELDS } from "@ingest/http-server";
import type { HTTPHeaders, StatusMap } from "elysia";
import type { ElysiaAdapter } from "elysia/adapter";
import { BunAdapter } from "elysia/adapter/bun";
import { isStream, keepStreamErrors } from "./stream-errors.ts";

type Finish = NonNullable<HttpServerOptions["finish"]>;
type Mapped = Response | LightResponse | undefined;

/** What hooks have set for the response (Elysia's `set`). */
interface ResponseSettings {
  headers: HTTPHeaders | Headers;
  status?: number | keyof StatusMap;
  cookie?: unknown;
}

type Mapper = (
  value: unknown,
  settings: ResponseSettings | undefined,
  request: unknown,
) => Mapped | Promise<Mapped>;

const { mapResponse, mapEarlyResponse, mapCompactResponse } = BunAdapter.handler as unknown as {
  mapResponse: Mapper;
  mapEarlyResponse: Mapper;
  mapCompactResponse(value: unknown, request: unknown): ReturnType<Mapper>;
};

/** A field of visible ASCII, which can be sent as it is. */
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e]*$/;

/** Elysia's mapper, with light responses and streams mapped here. */
function extend(mapOther: Mapper): Mapper {
  return function map(value, settings, request): ReturnType<Mapper> {
    if (value instanceof LightResponse)
      return settings === undefined || isUntouched(settings) ? value : merge(value, settings);
    if (value instanceof Promise) return value.then((settled) => map(settled, settings, request));
    if (isStream(value)) return keepStreamErrors(value, (stream) => mapOther(stream, settings, request));
    return mapOther(value, settings, request);
  };
}

const mapCompact = extend((value, _, request) => mapCompactResponse(value, request));

export const lightResponseAdapter: ElysiaAdapter = {
  ...BunAdapter,
  name: "light-response",
  handler: {
    ...BunAdapter.handler,
    mapResponse: extend(mapResponse) as ElysiaAdapter["handler"]["mapResponse"],
    mapEarlyResponse: extend(mapEarlyResponse) as ElysiaAdapter["handler"]["mapEarlyResponse"],
    mapCompactResponse: ((value: unknown, request: unknown) =>
      mapCompact(value, undefined, request)) as ElysiaAdapter["handler"]["mapCompactResponse"],
  },
};

function isUntouched({ headers, status, cookie }: ResponseSettings): boolean {
  if (cookie !== undefined || (status !== undefined && status !== 200)) return false;
  for (const _ in headers) return false;
  return !(headers instanceof Headers);
}

/** As Elysia merges a `Response` with `set`: what the response itself states has precedence. */
function merge(response: LightResponse, settings: ResponseSettings): Mapped | Promise<Mapped> {
  const { head, body, closes, bytes } = response;
  const { headers, status, cookie } = settings;
  const own = new Set(Object.keys(head.fields).map((name) => name.toLowerCase()));
  let { lines } = response;
  let isSimple = cookie === undefined && !(headers instanceof Headers);
  for (const [name, value] of Object.entries(headers)) {
    // A second Content-Length, say, would let a client and a proxy see different ends of the response.
    if (OWN_FIELDS.has(name.toLowerCase())) continue;
    const line = `${name}: ${value}`;
    if (Array.isArray(value) || !FIELD_LINE.test(line)) isSimple = false;
    else if (!own.has(name.toLowerCase())) lines += `${line}\r\n`;
  }
  const keepsStatus = head.status !== 200 || status === undefined || status === 200;
  // Elysia encodes cookies and refuses invalid fields.
  return isSimple && keepsStatus
    ? new LightResponse(head, body, closes, bytes, lines)
    : mapResponse(response.toResponse(), settings, undefined);
}

type Handle = (request: Request) => Mapped | Promise<Mapped>;

/**
 * The one place where requests enter the application, for Elysia's `wrap`. HEAD is routed as GET where it has no route of
 * its own: the server omits the body of the response, and does not read a stream.
 * @param finish of a response to a Fetch `Request`; the server itself finishes the others
 */
export function createDoors(finish: Finish, hasHeadRoute: (path: string) => boolean) {
  const toRouted = (request: IncomingRequest) =>
    request.head.method === "HEAD" && !hasHeadRoute(request.head.path) ? request.toGet() : request;

  return function openDoors(handle: Handle, request: Request): Handle {
    if (request instanceof IncomingRequest)
      return request.head.method === "HEAD" ? () => handle(toRouted(request)) : handle;
    return async (request) => {
      const incoming = await IncomingRequest.from(request);
      return toFetchResponse(await handle(toRouted(incoming)), incoming, finish);
    };
  };
}

async function toFetchResponse(
  mapped: Mapped,
  request: IncomingRequest,
  finish: Finish,
): Promise<Response | undefined> {
  if (mapped === undefined) return undefined;
  const isHead = request.method === "HEAD";
  const response = finish(mapped, request, request.peer);
  if (response instanceof LightResponse) return response.toResponse(isHead);
  if (!isHead) return response;
  await response.body?.cancel();
  return new Response(null, response);
}
