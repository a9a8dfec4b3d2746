// The durability that a request asks for: `?durability=`, else `Prefer: durability=` (RFC 7240), else the default.
import { type Durability, durabilities } from "@ingest/contract";
import { parsePrefer } from "../http/prefer.ts";
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
 * A request never gets a weaker durability than it names. So an unknown parameter, which may be a misspelled `durability`, is
 * rejected, and so is a malformed `Prefer` or an unknown value of the preference `durability`. Other preferences are ignored (RFC 7240).
 * @param query the request target after `?`
 * @param prefer the `Prefer` header
 * @param others the names of other parameters that the query may have
 * @returns a `bad_parameter` rejection that names what is allowed
 */
export function toRequestedDurability(
  query: string | undefined,
  prefer: string | null,
  defaultDurability: Durability,
  others: readonly string[] | "any" = [],
): RequestedDurability | Rejection {
  const preference = prefer === null ? undefined : durabilityPreference(prefer);
  if (preference instanceof Rejection) return preference;
  const parameter = query === undefined ? undefined : durabilityParameter(query, others);
  if (parameter instanceof Rejection) return parameter;
  if (parameter !== undefined) return plain[parameter];
  return preference === undefined ? plain[defaultDurability] : preferred[preference];
}

function durabilityPreference(prefer: string): Durability | undefined | Rejection {
  const preferences = parsePrefer(prefer);
  if (preferences === undefined)
    return new Rejection(
      "bad_parameter",
      "Prefer is malformed: send for example Prefer: durability=durable.",
    );
  const value = preferences.get("durability")?.toLowerCase();
  if (value === undefined || isDurability(value)) return value;
  return unknownDurability("Prefer: durability", value);
}

/** Names and values are percent-decoded. */
function durabilityParameter(
  query: string,
  others: readonly string[] | "any",
): Durability | undefined | Rejection {
  let durability: Durability | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (others !== "any" && others.includes(name)) continue;
    if (name !== "durability") {
      if (others === "any") continue;
      return new Rejection(
        "bad_parameter",
        `Unknown query parameter ${JSON.stringify(name.slice(0, 64))}: the only one is durability.`,
      );
    }
    if (durability !== undefined)
      return new Rejection("bad_parameter", "The query parameter durability occurs more than once.");
    if (!isDurability(value)) return unknownDurability("durability", value);
    durability = value;
  }
  return durability;
}

function unknownDurability(name: string, value: string): Rejection {
  return new Rejection(
    "bad_parameter",
    `${name}=${value.slice(0, 64)} is not valid: use one of ${durabilities.join(", ")}.`,
  );
}

function isDurability(value: string): value is Durability {
  return (durabilities as readonly string[]).includes(value);
}
