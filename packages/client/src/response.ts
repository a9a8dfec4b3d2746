// What a response means for the events of its request.
import { retryAfterMs } from "./retry.ts";
import type { EventResult, FetchResponse, StopReason } from "./types.ts";

export type Outcome =
  /** A result for each event. */
  | {
      readonly kind: "results";
      readonly results: readonly EventResult[];
      readonly afterMs: number | undefined;
    }
  /** No event has a fate: send the same events again. */
  | { readonly kind: "retry"; readonly afterMs: number | undefined }
  /** Send fewer at once. */
  | { readonly kind: "too_large" }
  /** Sending again can't help. */
  | { readonly kind: "stop"; readonly reason: StopReason };

/**
 * @param count of events in the request
 * @param nowMs Unix ms
 * @throws when the body can't be read
 */
export async function toOutcome(response: FetchResponse, count: number, nowMs: number): Promise<Outcome> {
  const { status } = response;
  const body = parse(await response.text());
  const afterMs = retryAfterMs(response.headers.get("retry-after"), nowMs);
  // Problems have results too, when no event of a batch was taken.
  const { results } = body;
  if (Array.isArray(results) && results.length === count) return { kind: "results", results, afterMs };
  if (status === 413) return { kind: "too_large" };
  // Success without results is not the producer's: a proxy or a sign-in page responded, so nothing is confirmed.
  const canRetry = status < 400 || status >= 500 || [408, 425, 429].includes(status);
  if (canRetry) return { kind: "retry", afterMs };
  return {
    kind: "stop",
    reason: {
      status,
      ...(typeof body.code === "string" && { code: body.code }),
      ...(typeof body.detail === "string" && { detail: body.detail }),
    },
  };
}

function parse(text: string): { results?: unknown; code?: unknown; detail?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
