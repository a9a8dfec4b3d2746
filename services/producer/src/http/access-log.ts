// One log line for a request: refused ones, a share of the others, or all.
import { type IncomingRequest, LightResponse, type Peer, type RequestHead } from "@ingest/http-server";
import type { Log } from "@ingest/service";
import { requestIdIn } from "./request-id.ts";

export interface AccessLogOptions {
  log: Log;
  /** The share of requests that succeeded and are logged, 0 to 1. Those that did not always are. */
  share: number;
  /** The id of the caller; undefined where requests have none. */
  callerOf(head: RequestHead): string | undefined;
  clientOf(request: IncomingRequest | undefined, peerAddress: string): string;
}

const MAX_PATH_LENGTH = 256;

export class AccessLog {
  readonly #options: AccessLogOptions;

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  /** @param request undefined when no head could be read */
  write(response: LightResponse | Response, request: IncomingRequest | undefined, peer: Peer): void {
    const { log, share, callerOf, clientOf } = this.#options;
    const { status } = response;
    if (status < 400 && Math.random() >= share) return;
    log.info(
      {
        ...(request === undefined ? {} : fieldsOf(request)),
        status,
        bytes: bytesOf(response),
        request_id: requestIdIn(response),
        caller: request && callerOf(request.head),
        client: clientOf(request, peer.remoteAddress),
      },
      "request completed",
    );
  }
}

function fieldsOf({ head, startedMs }: IncomingRequest) {
  return {
    method: head.method,
    // Without the query: it may hold anything, secrets included.
    path: head.path.slice(0, MAX_PATH_LENGTH),
    ms: Math.round((performance.now() - startedMs) * 1_000) / 1_000,
  };
}

/** Of the response's body; undefined while a stream's length is not known. */
function bytesOf(response: LightResponse | Response): number | undefined {
  if (response instanceof LightResponse) return response.bytes;
  const length = response.headers.get("content-length");
  return length === null ? undefined : Number(length);
}
