// The state of delivery as readiness and metrics see it.

import type { DeliveryCore } from "./core.ts";
import type { DeliveryState, RefusalCode } from "./types.ts";

/** @param refusal why no event is taken now */
export function toDeliveryState(
  { journal, client, resends, failing, failures, refusals, counts, isSpooling }: DeliveryCore,
  refusal: RefusalCode | undefined,
  rejected: number,
): DeliveryState {
  return {
    ready: refusal === undefined,
    ...(refusal === undefined ? {} : { refusal }),
    connected: client.sink.connected,
    ...(failing ? { failing: { code: failing.code, meaning: failing.meaning } } : {}),
    spooling: isSpooling,
    inFlight: client.inFlight.count + resends.length,
    ...(journal ? { journal: journal.state() } : {}),
    counts: {
      ...counts,
      failed: failures.counts,
      refused: refusals.counts,
      rejected,
      corrupt: journal?.corrupt ?? 0,
      fsyncs: journal?.fsyncs ?? 0,
      fsyncFailures: journal?.fsyncFailures ?? 0,
    },
  };
}
