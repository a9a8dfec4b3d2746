// What becomes of events without an outcome when the process stops.

import type { DeliveryCore } from "./core.ts";
import type { Quarantine } from "./quarantine.ts";
import { reclaim } from "./reclaim.ts";
import { type InFlightEvent, TrackedEvent } from "./tracked-event.ts";
import { type StopResult, UNKNOWN } from "./types.ts";

/** Share of the budget for flushing; the rest is for the journal and for closing the client. */
const FLUSH_SHARE = 0.7;

/** Settles each `stored` event as unknown; they are delivered as before. */
export function settleAwaited({ client, resends }: DeliveryCore): void {
  const settle = (entry: InFlightEvent) => {
    if (entry instanceof TrackedEvent) entry.settle(UNKNOWN);
  };
  for (const [, entry] of client.inFlight.entries()) settle(entry);
  for (const entry of resends.toArray()) settle(entry);
}

/** Flushes the client, and writes to the journal what Kafka doesn't confirm within the budget. */
export async function stopDelivery(
  core: DeliveryCore,
  quarantine: Quarantine,
  budgetMs: number,
): Promise<StopResult> {
  const { resends, journal, counts } = core;
  const deadline = performance.now() + budgetMs;
  core.apply({ type: "stopped" });
  const { sink, inFlight } = core.client;
  if (sink.connected && inFlight.count > 0) await sink.flush(budgetMs * FLUSH_SHARE);
  core.closeSpares();
  counts.spooled += reclaim(inFlight, resends, journal);
  counts.lost += resends.length;
  // Confirmations that arrive until then still acknowledge journal records.
  await sink.close(Math.max(0, (deadline - performance.now()) / 2));
  core.failures.flush(performance.now(), true);
  await quarantine.close();
  const closed = await journal?.close();
  return { journalled: closed?.kept ?? 0, lost: counts.lost + (closed?.lost ?? 0) };
}
