// The fields RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-11 (May 2026) has them: lists of
// structured fields (RFC 9651), whose items name a limit.
import type { CallerLimits } from "../caller.ts";
import { toSeconds } from "./limiter.ts";
import { type LimitName, type Rate, type RateNames, rateOf } from "./limits.ts";

const DAY_SECONDS = 86_400;

/** Section 3.1.2: the registry has no unit for events, which count as requests do. */
const BYTES = ';qu="content-bytes"';

/** The same for all responses, with its CR LF. */
function toPolicyLine(limits: CallerLimits, names: RateNames): string {
  const [events, bytes] = [rateOf(limits, "events"), rateOf(limits, "bytes")];
  const { eventsPerDay, bytesPerDay } = limits;
  const items = [
    events && toRatePolicy(names.events, events, ""),
    bytes && toRatePolicy(names.bytes, bytes, BYTES),
    eventsPerDay && `"events_per_day";q=${eventsPerDay};w=${DAY_SECONDS}`,
    bytesPerDay && `"bytes_per_day";q=${bytesPerDay}${BYTES};w=${DAY_SECONDS}`,
  ];
  return `RateLimit-Policy: ${items.filter(Boolean).join(", ")}\r\n`;
}

/** The window is the time in which an empty bucket fills, in whole seconds; the quota is what the rate yields in it. */
function toRatePolicy(limit: LimitName, { perSecond, burst }: Rate, unit: string): string {
  const seconds = Math.max(1, Math.ceil(burst / perSecond));
  return `"${limit}";q=${Math.floor(perSecond * seconds)}${unit};w=${seconds}`;
}

/**
 * Makes the fields for one caller. They are in every response to it, and their text costs more than all else about limits:
 * so what does not change is made once, and what changes is put together in as few steps as possible.
 */
export class LimitFields {
  readonly #lead: string;
  readonly #events: RateItem | undefined;
  readonly #bytes: RateItem | undefined;
  readonly #eventsToday: Item | undefined;
  readonly #bytesToday: Item | undefined;

  constructor(limits: CallerLimits, names: RateNames) {
    let next = "\r\n";
    const before = (limit: LimitName) => {
      const after = next;
      next = `, "${limit}";r=`;
      return after;
    };
    const [events, bytes] = [rateOf(limits, "events"), rateOf(limits, "bytes")];
    const { eventsPerDay, bytesPerDay } = limits;
    // From the last one to the first, because each has the name of the one behind it.
    this.#bytesToday = bytesPerDay === undefined ? undefined : new Item(before("bytes_per_day"));
    this.#eventsToday = eventsPerDay === undefined ? undefined : new Item(before("events_per_day"));
    this.#bytes = bytes && new RateItem(before(names.bytes), bytes);
    this.#events = events && new RateItem(before(names.events), events);
    this.#lead = `${toPolicyLine(limits, names)}RateLimit: ${next.slice(2)}`;
  }

  /**
   * RateLimit-Policy and RateLimit, each with its CR LF.
   * @param events in the bucket; the same for `bytes`. Of a limit that there is not, any number will do
   * @param eventsToday what is left of the quota; the same for `bytesToday`
   */
  linesFor(
    events: number,
    bytes: number,
    eventsToday: number,
    bytesToday: number,
    msUntilTomorrow: number,
  ): string {
    let text = this.#lead;
    if (this.#events !== undefined) text = this.#events.appendRate(text, events);
    if (this.#bytes !== undefined) text = this.#bytes.appendRate(text, bytes);
    if (this.#eventsToday !== undefined)
      text = this.#eventsToday.append(text, eventsToday, toSeconds(msUntilTomorrow));
    if (this.#bytesToday !== undefined)
      text = this.#bytesToday.append(text, bytesToday, toSeconds(msUntilTomorrow));
    return text;
  }
}

/** An item of RateLimit, of which the text before it ends with `r=`. */
class Item {
  readonly #after: string;
  #seconds = 0;
  #end = "";

  /** @param after the text behind it */
  constructor(after: string) {
    this.#after = after;
  }

  append(text: string, available: number, seconds: number): string {
    if (seconds !== this.#seconds) {
      this.#seconds = seconds;
      this.#end = `;t=${seconds}${this.#after}`;
    }
    return text + Math.max(0, available) + this.#end;
  }
}

class RateItem extends Item {
  readonly #perSecond: number;

  constructor(after: string, { perSecond }: Rate) {
    super(after);
    this.#perSecond = perSecond;
  }

  /**
   * The effective window is the time in which the rate makes good what is available: a client that spreads what is
   * available over it keeps to the rate. Of an empty bucket it is the time until its first token.
   */
  appendRate(text: string, tokens: number): string {
    const available = Math.floor(tokens);
    const windowMs = ((available > 0 ? available : 1 - tokens) * 1_000) / this.#perSecond;
    return this.append(text, available, toSeconds(windowMs));
  }
}
