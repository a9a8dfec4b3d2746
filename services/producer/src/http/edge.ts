// What every response gets beyond its handler: the request's id, fields for browsers, a line in the access log.
import {
  type HttpServerOptions,
  type IncomingRequest,
  LightResponse,
  type RequestHead,
} from "@ingest/http-server";
import type { Log } from "@ingest/service";
import { CallerDirectory } from "../callers/directory.ts";
import { AllowedOrigins, type OriginSource } from "../callers/origins.ts";
import type { Callers } from "../callers/parse-file.ts";
import { eventPaths } from "../events/routes.ts";
import { AccessLog } from "./access-log.ts";
import { TrustedProxies } from "./client-address.ts";
import type { EdgeSettings } from "./edge-settings.ts";
import { requestIdIn, requestIdOf, sentRequestId, toRequestIdLine, withRequestId } from "./request-id.ts";

export interface Edge {
  /** Undefined without CALLERS_FILE. */
  readonly callers: CallerDirectory | undefined;
  /** The id of the caller, for logs; undefined without CALLERS_FILE, and where no key is needed. */
  callerOf(head: RequestHead): string | undefined;
  readonly originSource: OriginSource;
  readonly trustedProxies: TrustedProxies;
  readonly finish: NonNullable<HttpServerOptions["finish"]>;
  readonly expectsProxyHeader: HttpServerOptions["expectsProxyHeader"];
}

/**
 * @param found what CALLERS_FILE contains, when it is set
 * @param paths those that take events
 */
export function createEdge(
  settings: EdgeSettings,
  log: Log,
  found?: Callers,
  paths: readonly string[] = eventPaths,
): Edge {
  const isForEvents = ({ path }: RequestHead) => paths.includes(path);
  const origins = new AllowedOrigins(settings.CORS_ALLOWED_ORIGINS);
  const trustedProxies = new TrustedProxies(settings.TRUSTED_PROXIES);
  const callers = found && new CallerDirectory(found, origins);
  const originSource = callers ?? { origins };
  const callerOf = (head: RequestHead) => (isForEvents(head) ? callers?.identify(head).id : undefined);
  const accessLog = createAccessLog(settings, trustedProxies, callerOf, log);
  return {
    callers,
    callerOf,
    originSource,
    trustedProxies,
    finish: createFinish(settings.REQUEST_ID, originSource, isForEvents, accessLog),
    expectsProxyHeader: settings.PROXY_PROTOCOL ? (address) => trustedProxies.has(address) : undefined,
  };
}

function createAccessLog(
  { ACCESS_LOG, ACCESS_LOG_SAMPLE }: EdgeSettings,
  trustedProxies: TrustedProxies,
  callerOf: Edge["callerOf"],
  log: Log,
): AccessLog | undefined {
  if (ACCESS_LOG === "off") return undefined;
  const share = { errors: 0, sample: ACCESS_LOG_SAMPLE, all: 1 }[ACCESS_LOG];
  return new AccessLog({
    log,
    share,
    clientOf: (request, peer) => trustedProxies.clientOf(peer, request?.head),
    callerOf,
  });
}

/** What a head alone decides about the fields of its responses. */
interface HeadFacts {
  /** The id that the caller sent. */
  readonly sentId: string | undefined;
  readonly corsLines: string;
  /** All fields of a response that is no problem, when no ids are made. */
  readonly lines: string;
  /** What the lines were made of. */
  readonly origins: AllowedOrigins | undefined;
}

const NO_FACTS: HeadFacts = { sentId: undefined, corsLines: "", lines: "", origins: undefined };

function createFinish(
  identifiesAll: boolean,
  source: OriginSource,
  isForEvents: (head: RequestHead) => boolean,
  accessLog: AccessLog | undefined,
): Edge["finish"] {
  /** Requests with the same head share one parsed head, so its facts are found once. */
  const factsByHead = new WeakMap<RequestHead, HeadFacts>();
  function factsOf(head: RequestHead): HeadFacts {
    let facts = factsByHead.get(head);
    if (facts === undefined || facts.origins !== source.origins) {
      facts = toFacts(head, source.origins, isForEvents(head));
      factsByHead.set(head, facts);
    }
    return facts;
  }

  return function finish(response, request, peer) {
    const isRefusal = response.status >= 400;
    const { sentId, corsLines, lines } = request === undefined ? NO_FACTS : factsOf(request.head);
    if (!isRefusal && !identifiesAll && accessLog === undefined)
      return lines === "" ? response : withLines(response, lines);
    const isIdentified = isRefusal || identifiesAll || sentId !== undefined;
    const withFields = withLines(response, corsLines);
    const finished = isIdentified ? identify(withFields, request) : withFields;
    // A connection asks the system for its address: only for a line that is written.
    accessLog?.write(finished, request, peer);
    return finished;
  };
}

function toFacts(head: RequestHead, origins: AllowedOrigins, isForEvents: boolean): HeadFacts {
  const sentId = sentRequestId(head);
  const corsLines = isForEvents ? origins.linesFor(head) : "";
  const lines = corsLines + (sentId === undefined ? "" : toRequestIdLine(sentId));
  return { sentId, corsLines, lines, origins };
}

function withLines<R extends LightResponse | Response>(response: R, lines: string): R {
  if (lines === "") return response;
  if (response instanceof LightResponse) return response.with(lines) as R;
  const finished = new Response(response.body, response);
  for (const line of lines.split("\r\n").slice(0, -1)) {
    const colon = line.indexOf(":");
    finished.headers.append(line.slice(0, colon), line.slice(colon + 1));
  }
  return finished as R;
}

function identify<R extends LightResponse | Response>(response: R, request: IncomingRequest | undefined): R {
  if (requestIdIn(response) !== undefined) return response;
  const id = request === undefined ? Bun.randomUUIDv7() : requestIdOf(request);
  return response instanceof LightResponse
    ? (withRequestId(response, id) as R)
    : withLines(response, toRequestIdLine(id));
}
