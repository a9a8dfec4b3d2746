// What the event routes have in common: who may come in, what is requested for, undoing the body's encoding, counting the answer.
// The usual request makes no promise and no closure: its answer is there when its last byte is.
import type { Durability } from "@ingest/contract";
import type { ByteBudget } from "../http/byte-budget.ts";
import { type Encoding, type MediaType, toEncoding, toMediaType } from "../http/content.ts";
import { decompress } from "../http/decompress.ts";
import { toProblemResponse } from "../http/problem-response.ts";
import { Body, type IncomingRequest } from "../http/request.ts";
import type { LightResponse } from "../http/response.ts";
import type { RequestHead } from "../http/server/head.ts";
import type { RequestGuard } from "../http/server/index.ts";
import type { RouteFigures } from "../observe/request-figures.ts";
import { payloadTooLarge, Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { type RequestedDurability, toRequestedDurability } from "./requested-durability.ts";

export interface HandlerOptions {
  admission: Admission;
  /** For what a compressed body becomes. */
  budget: ByteBudget;
  figures: RouteFigures;
  defaultDurability: Durability;
  maxBodyBytes: number;
  toFaultResponse(error: unknown): LightResponse;
  /** Makes the answer to a body. */
  respond(
    body: Body,
    type: MediaType,
    requested: RequestedDurability,
  ): LightResponse | Promise<LightResponse>;
}

/** Answers requests of one route. */
export interface EventHandler extends RequestGuard {
  /** Never rejects. */
  handle(request: IncomingRequest): LightResponse | Promise<LightResponse>;
}

/** What a head asks for. */
interface Wanted {
  readonly type: MediaType;
  readonly requested: RequestedDurability;
  readonly encoding: Encoding | undefined;
}

export function createHandler(options: HandlerOptions): EventHandler {
  const { admission, budget, figures, defaultDurability, maxBodyBytes, respond, toFaultResponse } = options;

  /** Heads are shared by all requests that have the same: what one asks for is read once. */
  function wantedBy(head: RequestHead): Wanted | Rejection {
    head.derived ??= readWanted(head, defaultDurability);
    return head.derived as Wanted | Rejection;
  }

  function refuse(rejection: Rejection, request: IncomingRequest): LightResponse {
    const answer = toProblemResponse(rejection);
    figures.note(answer.status, request.startedMs);
    return answer;
  }

  function leave(answer: LightResponse, request: IncomingRequest): LightResponse {
    admission.leave();
    figures.note(answer.status, request.startedMs);
    return answer;
  }

  /** Why a request may not come in; what it wants when it may, and then it has come in. */
  function enter(request: IncomingRequest): Wanted | Rejection {
    const refusal = admission.refusal();
    if (refusal !== undefined) return refusal;
    const wanted = wantedBy(request.head);
    if (!(wanted instanceof Rejection)) admission.enter();
    return wanted;
  }

  function settle(
    result: LightResponse | Promise<LightResponse>,
    request: IncomingRequest,
  ): LightResponse | Promise<LightResponse> {
    if (!(result instanceof Promise)) return leave(result, request);
    return result.then(
      (answer) => leave(answer, request),
      (error) => leave(toFaultResponse(error), request),
    );
  }

  async function respondDecoded(
    { type, requested }: Wanted,
    body: Body,
    encoding: Encoding,
  ): Promise<LightResponse> {
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      if (!budget.take(bytes)) return false;
      reserved += bytes;
      return true;
    };
    const decoded = await decompress(body.toBuffer(), encoding, maxBodyBytes, reserve);
    budget.release(reserved);
    return decoded instanceof Rejection
      ? toProblemResponse(decoded)
      : respond(new Body(decoded, 0, decoded.length), type, requested);
  }

  return {
    maxBodyBytes,
    admit(request) {
      const wanted = enter(request);
      if (wanted instanceof Rejection) return refuse(wanted, request);
      request.isAdmitted = true;
      return undefined;
    },
    reject: (request, rejection) => leave(toProblemResponse(rejection), request),
    onAbort: () => admission.leave(),
    handle(request) {
      const wanted = request.isAdmitted ? wantedBy(request.head) : enter(request);
      if (wanted instanceof Rejection) return refuse(wanted, request);
      const { body } = request;
      const { type, requested, encoding } = wanted;
      // Who waits for its answer waits without it.
      request.body = Body.EMPTY;
      try {
        if (body.length > maxBodyBytes)
          return leave(toProblemResponse(payloadTooLarge(maxBodyBytes)), request);
        return settle(
          encoding === undefined ? respond(body, type, requested) : respondDecoded(wanted, body, encoding),
          request,
        );
      } catch (error) {
        return leave(toFaultResponse(error), request);
      }
    },
  };
}

function readWanted(head: RequestHead, defaultDurability: Durability): Wanted | Rejection {
  const type = toMediaType(head.get("content-type"));
  if (type instanceof Rejection) return type;
  const mark = head.target.indexOf("?");
  const query = mark === -1 ? undefined : head.target.slice(mark + 1);
  const requested = toRequestedDurability(query, head.get("prefer"), defaultDurability);
  if (requested instanceof Rejection) return requested;
  const encoding = toEncoding(head.get("content-encoding"));
  return encoding instanceof Rejection ? encoding : { type, requested, encoding };
}
