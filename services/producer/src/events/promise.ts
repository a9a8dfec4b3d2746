// Which promise a caller asks for: `?durability=`, else `Prefer: durability=` (RFC 7240), else the service's default.
import { type PromiseName, promises } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";

export interface AskedPromise {
  readonly name: PromiseName;
  /** It was asked for by the header, and the answer says so (Preference-Applied). */
  readonly isPreference: boolean;
}

const asked = (isPreference: boolean) =>
  Object.fromEntries(promises.map((name) => [name, Object.freeze({ name, isPreference })])) as Record<
    PromiseName,
    AskedPromise
  >;
const plain = asked(false);
const preferred = asked(true);

/**
 * @param query what follows `?` in the address, if anything
 * @param prefer the header as sent
 * @returns `bad_parameter` when the query asks for what there isn't; an unknown preference is ignored, as RFC 7240 says
 */
export function toPromise(
  query: string | undefined,
  prefer: string | null,
  byDefault: PromiseName,
): AskedPromise | Rejection {
  if (query?.includes("durability")) {
    const value = new URLSearchParams(query).get("durability");
    if (value !== null)
      return isPromise(value)
        ? plain[value]
        : new Rejection(
            "bad_parameter",
            `durability=${value.slice(0, 64)} is not known: ask for ${promises.join(", ")}.`,
          );
  }
  if (prefer !== null) {
    const value = /(?:^|[,\s])durability\s*=\s*"?([a-z]+)"?/i.exec(prefer)?.[1]?.toLowerCase();
    if (value !== undefined && isPromise(value)) return preferred[value];
  }
  return plain[byDefault];
}

function isPromise(value: string): value is PromiseName {
  return (promises as readonly string[]).includes(value);
}
