// A rate with a burst: tokens come at the rate, and at most `burst` of them are kept. No timer: what came since the last
// call is added by the next one.

/** Rounding errors of the refill must not make a caller that waited as long as it was told wait again. */
const EPSILON = 1e-6;

export class TokenBucket {
  #tokens: number;
  #refilledMs: number;

  /** A new bucket is full. */
  constructor(
    private ratePerSecond: number,
    private burst: number,
    nowMs: number,
  ) {
    this.#tokens = burst;
    this.#refilledMs = nowMs;
  }

  /** Tokens now; below 0 after more were taken than there were. */
  available(nowMs: number): number {
    const elapsedMs = nowMs - this.#refilledMs;
    this.#refilledMs = nowMs;
    // A clock that was set back adds nothing, and counts from where it is now.
    if (elapsedMs > 0)
      this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.ratePerSecond) / 1_000);
    return this.#tokens;
  }

  isFull(nowMs: number): boolean {
    return this.available(nowMs) >= this.burst - EPSILON;
  }

  /** Tokens at the time of the last call with a time: reads no clock. */
  get latest(): number {
    return this.#tokens;
  }

  /** Whole tokens now. */
  whole(nowMs: number): number {
    return Math.max(0, Math.floor(this.available(nowMs) + EPSILON));
  }

  /** Takes tokens, also when there are fewer: the next ones then pay the debt first. */
  take(tokens: number): void {
    this.#tokens -= tokens;
  }

  giveBack(tokens: number): void {
    this.#tokens = Math.min(this.burst, this.#tokens + tokens);
  }

  /** Time until there are this many tokens, or as many as the bucket holds, ms. */
  waitMs(tokens: number, nowMs: number): number {
    const missing = Math.min(tokens, this.burst) - this.available(nowMs);
    return missing <= EPSILON ? 0 : (missing * 1_000) / this.ratePerSecond;
  }

  /** Changes rate and burst. What is in the bucket stays, as far as it still fits. */
  adjust(ratePerSecond: number, burst: number, nowMs: number): void {
    this.available(nowMs);
    this.ratePerSecond = ratePerSecond;
    this.burst = burst;
    this.#tokens = Math.min(burst, this.#tokens);
  }

  /** Sets the number of tokens to that of another bucket with the same rate and burst. */
  set(tokens: number, nowMs: number): void {
    this.#tokens = tokens;
    this.#refilledMs = nowMs;
  }
}
