// One request of an event route: admission, the options in its head, decompression, metrics.
// The usual request allocates no promise and no closure: its response is made in the turn in which its last byte arrives.

import {
  Body,
  type ByteBudget,
  type IncomingRequest,
  LightResponse,
  payloadTooLarge,
  type RequestGuard,
  type RequestHead,
} from "@ingest/http-server";
import { type CallerCounts, increment } from "../callers/caller-counts.ts";
import { presentedKey } from "../callers/credentials.ts";
import type { CallerDirectory, Identity } from "../callers/directory.ts";
import type { Limiter } from "../callers/limits/limiter.ts";
import type { Encoding } from "../http/content.ts";
import { decompress } from "../http/decompress.ts";
import { toHttpProblemResponse, toProblemResponse } from "../http/problem-response.ts";
import type { RouteMetrics } from "../observe/request-metrics.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { type HeadOptions, parseRequestOptions, type RequestOptions } from "./request-options.ts";

export interface HandlerOptions extends HeadOptions {
  admission: Admission;
  /** Bounds the memory of decompressed bodies. */
  budget: ByteBudget;
  metrics: RouteMetrics;
  maxBodyBytes: number;
  /** A body may hold many events. */
  isBatch: boolean;
  /** Undefined without CALLERS_FILE. */
  callers: CallerDirectory | undefined;
  /** The client's address, by which requests without a key may be limited. */
  addressOf(request: IncomingRequest): string;
  toFaultResponse(error: unknown, request: IncomingRequest): LightResponse;
  /** The key that a decompressed body holds, on routes whose clients may send it there. */
  keyIn?: ((body: Body, head: RequestHead) => string | undefined) | undefined;
  /** Makes the response to a decompressed body. */
  respond(body: Body, options: RequestOptions): LightResponse | Promise<LightResponse>;
}

/** Handles the requests of one route. */
export interface EventHandler extends RequestGuard {
  /** Never rejects. */
  handle(request: IncomingRequest): LightResponse | Promise<LightResponse>;
}

/** What is known of requests with one head. */
interface HeadFacts {
  readonly options: RequestOptions | Rejection;
  /** Undefined without CALLERS_FILE: then the facts always hold. */
  readonly identity: Identity | undefined;
}

export function createHandler(options: HandlerOptions): EventHandler {
  const { admission, budget, metrics, maxBodyBytes, isBatch, callers, addressOf, keyIn, toFaultResponse } =
    options;

  /** Requests with the same head share one parsed head, so its options are read once. */
  const factsByHead = new WeakMap<RequestHead, HeadFacts>();
  function optionsOf(head: RequestHead): RequestOptions | Rejection {
    let facts = factsByHead.get(head);
    if (facts === undefined || (facts.identity !== undefined && !callers!.isCurrent(facts.identity))) {
      facts = toFacts(head);
      factsByHead.set(head, facts);
    }
    return facts.options;
  }
  function toFacts(head: RequestHead): HeadFacts {
    if (awaitsKey(head))
      return { options: parseRequestOptions(head, undefined, undefined, options), identity: undefined };
    const identity = callers?.identify(head);
    if (identity?.caller instanceof Rejection) return { options: identity.caller, identity };
    return { options: parseRequestOptions(head, identity?.caller, identity?.counts, options), identity };
  }

  /** Who sent the request is known only when its body is here. */
  function awaitsKey(head: RequestHead): boolean {
    return keyIn !== undefined && callers !== undefined && presentedKey(head) === undefined;
  }

  function observe(
    { status }: LightResponse,
    { startedMs }: IncomingRequest,
    counts: CallerCounts | undefined,
  ): void {
    metrics.observe(status, startedMs);
    if (counts !== undefined) increment(counts.requests, status);
  }

  /** Of a request that is refused, also for its key. */
  function countsOf({ head }: IncomingRequest): CallerCounts | undefined {
    return callers?.identify(head).counts;
  }

  /** The options with the limits of the client's address, where requests are limited by it. */
  function limitsOf(requestOptions: RequestOptions, request: IncomingRequest): RequestOptions {
    const { addresses } = requestOptions;
    return addresses === undefined
      ? requestOptions
      : { ...requestOptions, limiter: addresses.of(addressOf(request)) };
  }

  function reject(rejection: Rejection, request: IncomingRequest): LightResponse {
    const response = toProblemResponse(rejection);
    observe(response, request, countsOf(request));
    return response;
  }

  function leave(
    response: LightResponse,
    request: IncomingRequest,
    counts: CallerCounts | undefined,
  ): LightResponse {
    admission.leave();
    observe(response, request, counts);
    return response;
  }

  /** Admits the request and returns its options, or returns the response to one that is not admitted. */
  function enter(request: IncomingRequest, hasBody: boolean): RequestOptions | LightResponse {
    const { head } = request;
    const refusal = admission.refusal();
    if (refusal !== undefined) return reject(refusal, request);
    const requestOptions = optionsOf(head);
    if (requestOptions instanceof Rejection) return reject(requestOptions, request);
    // A single event whose body is here is limited when its tokens are taken.
    if (isBatch || !hasBody) {
      const { limiter } = limitsOf(requestOptions, request);
      const blocked = limiter?.check(isBatch, head.bodyLength === "chunked" ? 0 : head.bodyLength);
      if (blocked !== undefined) return withLimits(reject(limiter!.refuse(blocked, 1), request), limiter);
    }
    admission.enter();
    return requestOptions;
  }

  function settle(
    result: LightResponse | Promise<LightResponse>,
    request: IncomingRequest,
    { limiter, counts }: RequestOptions,
  ): LightResponse | Promise<LightResponse> {
    if (!(result instanceof Promise)) return leave(withLimits(result, limiter), request, counts);
    return result.then(
      (response) => leave(withLimits(response, limiter), request, counts),
      (error) => leave(toFaultResponse(error, request), request, counts),
    );
  }

  function respond(
    body: Body,
    requestOptions: RequestOptions,
    request: IncomingRequest,
  ): LightResponse | Promise<LightResponse> {
    return keyIn !== undefined && awaitsKey(request.head)
      ? respondByKey(body, keyIn(body, request.head), request)
      : options.respond(body, requestOptions);
  }

  async function respondByKey(
    body: Body,
    key: string | undefined,
    request: IncomingRequest,
  ): Promise<LightResponse> {
    const { head } = request;
    const { caller, counts } = callers!.identify(head, key);
    const found = caller instanceof Rejection ? caller : parseRequestOptions(head, caller, counts, options);
    let response: LightResponse;
    if (found instanceof Rejection) response = toProblemResponse(found);
    else {
      const requestOptions = limitsOf(found, request);
      response = withLimits(await options.respond(body, requestOptions), requestOptions.limiter);
    }
    increment(counts.requests, response.status);
    return response;
  }

  async function decompressAndRespond(
    request: IncomingRequest,
    requestOptions: RequestOptions,
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
      : respond(Body.of(decompressed), requestOptions, request);
  }

  return {
    maxBodyBytes,
    admit(request) {
      const entered = enter(request, false);
      if (entered instanceof LightResponse) return entered;
      request.isAdmitted = true;
      return undefined;
    },
    reject(request, rejection) {
      request.isAdmitted = false;
      return leave(toHttpProblemResponse(rejection), request, countsOf(request));
    },
    onAbort: () => admission.leave(),
    handle(request) {
      const entered = request.isAdmitted ? optionsOf(request.head) : enter(request, true);
      request.isAdmitted = false;
      if (entered instanceof LightResponse) return entered;
      if (entered instanceof Rejection) {
        // An admitted one whose key has expired, or was removed, while its body came.
        admission.leave();
        return reject(entered, request);
      }
      const requestOptions = limitsOf(entered, request);
      const { encodings, counts } = requestOptions;
      const body = request.takeContent();
      try {
        if (body.length > maxBodyBytes)
          return leave(toHttpProblemResponse(payloadTooLarge(maxBodyBytes)), request, counts);
        return settle(
          encodings === undefined
            ? respond(body, requestOptions, request)
            : decompressAndRespond(request, requestOptions, body, encodings),
          request,
          requestOptions,
        );
      } catch (error) {
        return leave(toFaultResponse(error, request), request, counts);
      }
    },
  };
}

/** The response with the state of the caller's limits. */
function withLimits(response: LightResponse, limiter: Limiter | undefined): LightResponse {
  return limiter === undefined ? response : response.with(limiter.lines());
}
