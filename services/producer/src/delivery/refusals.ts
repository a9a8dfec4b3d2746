// Refusals: one shared object for each reason, counted each time it is returned. Their texts are the rows of the problem
// table.

import { problems } from "@ingest/contract";
import type { KafkaError, KafkaErrorCode } from "@ingest/kafka";
import type { Refusal, RefusalCode } from "./types.ts";

function toRefusal(code: RefusalCode, meaning?: string): Refusal {
  const refusal: Pick<Refusal, "detail" | "retryAfterSeconds"> = problems[code].refusal;
  if (meaning === undefined) return Object.freeze({ status: "refused", code, ...refusal });
  const next = refusal.retryAfterSeconds === undefined ? "" : " Send it again after Retry-After.";
  return Object.freeze({ status: "refused", code, ...refusal, detail: meaning + next });
}

export class RefusalCounter {
  readonly counts: Partial<Record<RefusalCode, number>> = {};
  readonly #byCode = new Map<RefusalCode, Refusal>();
  readonly #byError = new Map<KafkaErrorCode, Refusal>();

  refuse(code: RefusalCode): Refusal {
    let refusal = this.#byCode.get(code);
    if (refusal === undefined) {
      refusal = toRefusal(code);
      this.#byCode.set(code, refusal);
    }
    return this.#count(refusal);
  }

  /** Refuses an event that Kafka or the client refused, with what the error means as the detail. */
  refuseFor(error: KafkaError): Refusal {
    let refusal = this.#byError.get(error.code);
    if (refusal === undefined) {
      refusal = toRefusal(toRefusalCode(error), error.meaning);
      this.#byError.set(error.code, refusal);
    }
    return this.#count(refusal);
  }

  #count(refusal: Refusal): Refusal {
    this.counts[refusal.code] = (this.counts[refusal.code] ?? 0) + 1;
    return refusal;
  }
}

function toRefusalCode({ code, fault }: KafkaError): RefusalCode {
  if (code === "message_too_large") return "too_large";
  if (fault === "record") return "event_rejected";
  return fault === "setting" ? "kafka_misconfigured" : "kafka_unavailable";
}
