// One request of an event route: admission, the options in its head, decompression, metrics.
// The usual request allocates no promise and no closure: its response is made in the turn in which its last byte arrives.

import type { Durability } from "@ingest/contract";
import {
  Body,
  type ByteBudget,
  type IncomingRequest,
  type LightResponse,
  payloadTooLarge,
  type RequestGuard,
  type RequestHead,
} from "@ingest/http-server";
import { type AllowedOrigins, isCrossOrigin, originNotAllowed } from "../callers/origins.ts";
import type { EventFormat, FormatOf } from "../formats/index.ts";
import { type Encoding, isPlainText, toEncodings } from "../http/content.ts";
import { decompress } from "../http/decompress.ts";
import { toHttpProblemResponse, toProblemResponse } from "../http/problem-response.ts";
import type { RouteMetrics } from "../observe/request-metrics.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { type RequestedDurability, toRequestedDurability } from "./requested-durability.ts";

export interface HandlerOptions {
  admission: Admission;
  /** Bounds the memory of decompressed bodies. */
  budget: ByteBudget;
  metrics: RouteMetrics;
  defaultDurability: Durability;
  maxBodyBytes: number;
  origins: AllowedOrigins;
  formatOf: FormatOf;
  toFaultResponse(error: unknown, request: IncomingRequest): LightResponse;
  /** Makes the response to a decompressed body. */
  respond(
    body: Body,
    format: EventFormat,
    requested: RequestedDurability,
  ): LightResponse | Promise<LightResponse>;
}

/** Handles the requests of one route. */
export interface EventHandler extends RequestGuard {
  /** Never rejects. */
  handle(request: IncomingRequest): LightResponse | Promise<LightResponse>;
}

/** What the head of a request specifies. */
interface RequestOptions {
  readonly format: EventFormat;
  readonly requested: RequestedDurability;
  /** In the order in which they were applied. */
  readonly encodings: readonly Encoding[] | undefined;
}

export function createHandler(options: HandlerOptions): EventHandler {
  const { admission, budget, metrics, maxBodyBytes, respond, toFaultResponse } = options;

  /** Requests with the same head share one parsed head, so its options are read once. */
  const optionsByHead = new WeakMap<RequestHead, RequestOptions | Rejection>();
  function optionsOf(head: RequestHead): RequestOptions | Rejection {
    let requestOptions = optionsByHead.get(head);
    if (requestOptions === undefined) {
      requestOptions = parseOptions(head, options);
      optionsByHead.set(head, requestOptions);
    }
    return requestOptions;
  }

  function reject(rejection: Rejection, request: IncomingRequest): LightResponse {
    const response = toProblemResponse(rejection);
    metrics.observe(response.status, request.startedMs);
    return response;
  }

  function leave(response: LightResponse, request: IncomingRequest): LightResponse {
    admission.leave();
    metrics.observe(response.status, request.startedMs);
    return response;
  }

  /** Admits the request and returns its options, or returns why it is not admitted. */
  function enter(request: IncomingRequest): RequestOptions | Rejection {
    const refusal = admission.refusal();
    if (refusal !== undefined) return refusal;
    const requestOptions = optionsOf(request.head);
    if (!(requestOptions instanceof Rejection)) admission.enter();
    return requestOptions;
  }

  function settle(
    result: LightResponse | Promise<LightResponse>,
    request: IncomingRequest,
  ): LightResponse | Promise<LightResponse> {
    if (!(result instanceof Promise)) return leave(result, request);
    return result.then(
      (response) => leave(response, request),
      (error) => leave(toFaultResponse(error, request), request),
    );
  }

  async function decompressAndRespond(
    { format, requested }: RequestOptions,
    body: Body,
    encodings: readonly Encoding[],
  ): Promise<LightResponse> {
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      if (!budget.take(bytes)) return false;
      reserved += bytes;
      return true;
    };
    const decompressed = await decompress(body.toBuffer(), encodings, maxBodyBytes, reserve);
    budget.release(reserved);
    return decompressed instanceof Rejection
      ? toProblemResponse(decompressed)
      : respond(new Body(decompressed, 0, decompressed.length), format, requested);
  }

  return {
    maxBodyBytes,
    admit(request) {
      const requestOptions = enter(request);
      if (requestOptions instanceof Rejection) return reject(requestOptions, request);
      request.isAdmitted = true;
      return undefined;
    },
    reject(request, rejection) {
      request.isAdmitted = false;
      return leave(toHttpProblemResponse(rejection), request);
    },
    onAbort: () => admission.leave(),
    handle(request) {
      const requestOptions = request.isAdmitted ? optionsOf(request.head) : enter(request);
      request.isAdmitted = false;
      if (requestOptions instanceof Rejection) return reject(requestOptions, request);
      const { format, requested, encodings } = requestOptions;
      const body = request.takeContent();
      try {
        if (body.length > maxBodyBytes)
          return leave(toHttpProblemResponse(payloadTooLarge(maxBodyBytes)), request);
        return settle(
          encodings === undefined
            ? respond(body, format, requested)
            : decompressAndRespond(requestOptions, body, encodings),
          request,
        );
      } catch (error) {
        return leave(toFaultResponse(error, request), request);
      }
    },
  };
}

type HeadOptions = Pick<HandlerOptions, "defaultDurability" | "origins" | "formatOf">;

function parseOptions(head: RequestHead, options: HeadOptions): RequestOptions | Rejection {
  const format = toFormat(head, options);
  if (format instanceof Rejection) return format;
  const mark = head.target.indexOf("?");
  const query = mark === -1 ? undefined : head.target.slice(mark + 1);
  const requested = toRequestedDurability(query, head.get("prefer"), options.defaultDurability);
  if (requested instanceof Rejection) return requested;
  const encodings = toEncodings(head.get("content-encoding"));
  return encodings instanceof Rejection ? encodings : { format, requested, encodings };
}

function toFormat(head: RequestHead, { origins, formatOf }: HeadOptions): EventFormat | Rejection {
  const contentType = head.get("content-type");
  if (origins.includes(head)) return formatOf(head, isPlainText(contentType) ? null : contentType);
  if (contentType === null && isCrossOrigin(head)) return originNotAllowed(head);
  return formatOf(head, contentType);
}
