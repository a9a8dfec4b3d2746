// A platform for tests of the client: a clock that a test moves, and a producer whose responses a test scripts.
import type { Page, Platform } from "./platform.ts";
import type { EventInput, EventResult, FetchInit, FetchResponse } from "./types.ts";

class FakeClock {
  nowMs = 1_700_000_000_000;
  readonly #timers = new Map<number, { atMs: number; callback: () => void }>();
  #lastId = 0;

  setTimer(callback: () => void, ms: number): number {
    this.#timers.set(++this.#lastId, { atMs: this.nowMs + ms, callback });
    return this.#lastId;
  }

  clearTimer(id: unknown): void {
    this.#timers.delete(id as number);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets what is pending happen, then moves on to each timer in turn. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const [id, timer] = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0] ?? [];
      if (timer === undefined || timer.atMs > endMs) break;
      this.#timers.delete(id!);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.callback();
    }
    this.nowMs = endMs;
  }
}

/** Resolves after all promises that need no clock. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export interface SentRequest extends FetchInit {
  url: string;
  atMs: number;
  /** The events of a body that is not compressed. */
  events: EventInput[];
}

export type Respond = (request: SentRequest) => FetchResponse | Promise<FetchResponse>;

export function respondWith(
  status: number,
  body: unknown = "",
  headers: Record<string, string> = {},
): FetchResponse {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

/** A result for each event. @param toResult by default the event is accepted */
export function respondWithResults(
  { events }: SentRequest,
  toResult: (event: EventInput, index: number) => Partial<EventResult> = () => ({}),
): FetchResponse {
  const results = events.map((event, index) => ({
    index,
    status: "accepted",
    event_id: event.event_id,
    ...toResult(event, index),
  }));
  return respondWith(207, { results });
}

export class FakePage implements Page {
  hasKeepalive = true;
  readonly beacons: { url: string; events: EventInput[] }[] = [];
  #listeners: { onHide(): void; onOnline(): void } | undefined;

  sendBeacon(url: string, body: string): boolean {
    this.beacons.push({ url, events: JSON.parse(body) as EventInput[] });
    return true;
  }

  observe(listeners: { onHide(): void; onOnline(): void }): () => void {
    this.#listeners = listeners;
    return () => {
      this.#listeners = undefined;
    };
  }

  get isObserved(): boolean {
    return this.#listeners !== undefined;
  }

  hide(): void {
    this.#listeners?.onHide();
  }

  goOnline(): void {
    this.#listeners?.onOnline();
  }
}

export class FakePlatform implements Platform {
  readonly clock = new FakeClock();
  readonly requests: SentRequest[] = [];
  /** Responses to the next requests, in order. */
  readonly script: Respond[] = [];
  /** The response when the script is at its end. */
  respond: Respond = respondWithResults;
  gzip: Platform["gzip"];
  page: FakePage | undefined;
  random = () => 1;

  readonly nowMs = () => this.clock.nowMs;
  readonly elapsedMs = () => this.clock.nowMs;
  readonly fillRandom = (bytes: Uint8Array) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  readonly setTimer = (callback: () => void, ms: number) => this.clock.setTimer(callback, ms);
  readonly clearTimer = (timer: unknown) => this.clock.clearTimer(timer);
  readonly toAbsolute = (url: string) => new URL(url).href;

  readonly fetch = async (url: string, init: FetchInit): Promise<FetchResponse> => {
    const events = typeof init.body === "string" ? (JSON.parse(init.body) as EventInput[]) : [];
    const request = { ...init, url, events, atMs: this.clock.nowMs };
    this.requests.push(request);
    return (this.script.shift() ?? this.respond)(request);
  };

  /** Ids of the events of each request. */
  get sentIds(): (string | undefined)[][] {
    return this.requests.map(({ events }) => events.map(({ event_id }) => event_id));
  }
}
