// The durability that a request asks for: `?durability=`, else `Prefer: durability=` (RFC 7240), else the default.
import { type Durability, durabilities } from "@ingest/contract";
import { Rejection } from "../rejection.ts";

export interface RequestedDurability {
  readonly durability: Durability;
  /** Requested by the `Prefer` header: the response confirms it with `Preference-Applied`. */
  readonly isPreference: boolean;
}

const byDurability = (isPreference: boolean) =>
  Object.fromEntries(
    durabilities.map((durability) => [durability, Object.freeze({ durability, isPreference })]),
  ) as Record<Durability, RequestedDurability>;
const plain = byDurability(false);
const preferred = byDurability(true);

/**
 * @param query the request target after `?`
 * @param prefer the `Prefer` header
 * @returns a `bad_parameter` rejection for an unknown value in the query; an unknown preference is ignored (RFC 7240)
 */
export function toRequestedDurability(
  query: string | undefined,
  prefer: string | null,
  defaultDurability: Durability,
): RequestedDurability | Rejection {
  if (query?.includes("durability")) {
    const value = new URLSearchParams(query).get("durability");
    if (value !== null)
      return isDurability(value)
        ? plain[value]
        : new Rejection(
            "bad_parameter",
            `durability=${value.slice(0, 64)} is not valid: use one of ${durabilities.join(", ")}.`,
          );
  }
  if (prefer !== null) {
    const value = /(?:^|[,\s])durability\s*=\s*"?([a-z]+)"?/i.exec(prefer)?.[1]?.toLowerCase();
    if (value !== undefined && isDurability(value)) return preferred[value];
  }
  return plain[defaultDurability];
}

function isDurability(value: string): value is Durability {
  return (durabilities as readonly string[]).includes(value);
}
