// Requests with a batch of events: their heads, compression, time limit, and how they outlive a page.
import { keepalive } from "./keepalive.ts";
import type { Platform } from "./platform.ts";
import { bodyBytes, type QueuedEvent, toBody } from "./queue.ts";
import { type Outcome, toOutcome } from "./response.ts";
import type { Settings } from "./settings.ts";
import type { Fetch } from "./types.ts";

export class Requests {
  readonly #endpoint: string;
  readonly #settings: Settings;
  readonly #platform: Platform;
  readonly #fetch: Fetch;
  readonly #inFlight = new Set<AbortController>();
  key: string | undefined;

  /** @throws TypeError when the URL is none */
  constructor(settings: Settings, platform: Platform) {
    this.#endpoint = `${platform.toAbsolute(settings.url).replace(/\/+$/, "")}/register_events`;
    this.#settings = settings;
    this.#platform = platform;
    this.#fetch = settings.fetch ?? platform.fetch;
    this.key = settings.key;
  }

  /** @returns undefined where the batch is sent as it is */
  compress(batch: readonly QueuedEvent[]): Promise<ArrayBuffer | undefined> | undefined {
    const { gzip } = this.#platform;
    if (gzip === undefined || bodyBytes(batch) < this.#settings.compressAboveBytes) return undefined;
    return gzip(toBody(batch)).catch(() => undefined);
  }

  /**
   * Calls `fetch` before it returns. Never rejects.
   * @param compressed the body, compressed with gzip; default: the batch as JSON
   * @param mayOutlivePage if there is room among the keepalive requests
   */
  async send(
    batch: readonly QueuedEvent[],
    compressed: ArrayBuffer | undefined,
    mayOutlivePage: boolean,
  ): Promise<Outcome> {
    const { setTimer, clearTimer, page, nowMs } = this.#platform;
    const bytes = compressed?.byteLength ?? bodyBytes(batch);
    const isKept = mayOutlivePage && page?.hasKeepalive === true && bytes <= keepalive.room;
    const controller = new AbortController();
    const timer = setTimer(() => controller.abort(), this.#settings.requestTimeoutMs);
    if (isKept) keepalive.take(bytes);
    this.#inFlight.add(controller);
    try {
      const response = await this.#fetch(this.#endpoint, {
        method: "POST",
        headers: this.#headers(compressed !== undefined),
        body: compressed ?? toBody(batch),
        signal: controller.signal,
        // Bun would close the connection for `false`.
        ...(isKept && { keepalive: true }),
      });
      return await toOutcome(response, batch.length, nowMs());
    } catch {
      // Without a response the outcome is unknown.
      return { kind: "retry", afterMs: undefined };
    } finally {
      clearTimer(timer);
      this.#inFlight.delete(controller);
      if (isKept) keepalive.release(bytes);
    }
  }

  /** @returns false when the browser refuses it */
  sendBeacon(batch: readonly QueuedEvent[]): boolean {
    const { durability, onPageHide } = this.#settings;
    const url = new URL(this.#endpoint);
    // Beacons can't have headers.
    if (durability !== undefined) url.searchParams.set("durability", durability);
    if (this.key !== undefined && onPageHide === "beacon") url.searchParams.set("write_key", this.key);
    return this.#platform.page!.sendBeacon(url.href, toBody(batch));
  }

  abort(): void {
    for (const controller of this.#inFlight) controller.abort();
  }

  #headers(isCompressed: boolean): Record<string, string> {
    const { durability } = this.#settings;
    return {
      "content-type": "application/json",
      ...(isCompressed && { "content-encoding": "gzip" }),
      ...(this.key !== undefined && { authorization: `Bearer ${this.key}` }),
      ...(durability !== undefined && { prefer: `durability=${durability}` }),
    };
  }
}
