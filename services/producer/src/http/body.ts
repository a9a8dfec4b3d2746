// Reads a request's body: no larger, no slower and not more of them at once than allowed; decompressed where needed.
import { Rejection } from "../rejection.ts";
import { Arrival, Arrivals } from "./arrivals.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { type Encoding, toEncoding } from "./content.ts";
import { decompress } from "./decompress.ts";

export interface BodyReaderOptions {
  /** How long a body may take to arrive, ms. */
  timeoutMs: number;
  /** What all bodies that are arriving may hold together. */
  budget: ByteBudget;
}

/** Takes a body, or what was wrong with it, and makes the result. */
export type BodyUse<T> = (body: Buffer | Rejection) => T | Promise<T>;

/**
 * What is left of a body that is too large is read and thrown away up to here, bytes: a connection that is closed under a
 * sender loses the answer too (RFC 9112, section 9.6). Beyond it the connection ends.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;

/** Late bodies are looked for this often, ms: one clock for all, for a timer each would cost more than the reading. */
const SWEEP_MS = 250;

export class BodyReader {
  readonly #timeoutMs: number;
  readonly #budget: ByteBudget;
  readonly #arrivals = new Arrivals();
  readonly #timer: Timer;

  constructor({ timeoutMs, budget }: BodyReaderOptions) {
    this.#timeoutMs = timeoutMs;
    this.#budget = budget;
    const sweep = () => this.#arrivals.giveUpBefore(performance.now() - timeoutMs);
    this.#timer = setInterval(sweep, Math.min(SWEEP_MS, timeoutMs));
    this.#timer.unref();
  }

  /**
   * Reads the body and hands it to `use`, in the same turn in which it is there: a promise less than awaiting it.
   * @param maxBytes of the body as it is sent, and of what it is once decompressed
   * @returns what `use` makes of it; rejects only when `use` throws
   */
  read<T>(request: Request, maxBytes: number, use: BodyUse<T>): Promise<T> {
    const { headers } = request;
    const encoding = toEncoding(headers.get("content-encoding"));
    if (encoding instanceof Rejection) return useNow(use, encoding);
    const length = headers.get("content-length");
    if (length === null || encoding !== undefined)
      return Number(length) > maxBytes
        ? useNow(use, tooLarge(maxBytes, Number(length)))
        : this.#readPieces(request, maxBytes, encoding).then(use);
    return this.#readWhole(request, Number(length), maxBytes, use);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The usual way: the length is known and right, for the server holds the connection to it. */
  #readWhole<T>(request: Request, bytes: number, maxBytes: number, use: BodyUse<T>): Promise<T> {
    if (bytes > maxBytes) return useNow(use, tooLarge(maxBytes, bytes));
    const budget = this.#budget;
    if (!budget.take(bytes)) return useNow(use, overloaded());
    return new Promise((resolve, reject) => {
      let isDone = false;
      const end = (body: Buffer | Rejection) => {
        if (isDone) return;
        isDone = true;
        try {
          resolve(use(body));
        } catch (error) {
          reject(error as Error);
        }
      };
      const arrival = new Arrival(performance.now(), () => end(this.#late()));
      this.#arrivals.add(arrival);
      const arrived = () => {
        budget.release(bytes);
        this.#arrivals.remove(arrival);
      };
      request.arrayBuffer().then(
        (body) => {
          arrived();
          end(Buffer.from(body));
        },
        (error: unknown) => {
          arrived();
          end(brokenOff(error));
        },
      );
    });
  }

  async #readPieces(
    request: Request,
    maxBytes: number,
    encoding: Encoding | undefined,
  ): Promise<Buffer | Rejection> {
    if (request.body === null) return Buffer.alloc(0);
    const reader = request.body.getReader();
    let given: Rejection | undefined;
    const giveUp = (rejection: Rejection) => {
      given ??= rejection;
      void reader.cancel().catch(() => undefined);
    };
    const arrival = new Arrival(performance.now(), () => giveUp(this.#late()));
    this.#arrivals.add(arrival);
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      if (!this.#budget.take(bytes)) return false;
      reserved += bytes;
      return true;
    };
    try {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        const chunk = piece.value as Uint8Array;
        bytes += chunk.length;
        if (bytes > maxBytes) {
          chunks.length = 0;
          if (bytes > DRAIN_BYTES) giveUp(tooLarge(maxBytes, bytes));
        } else if (!reserve(chunk.length)) giveUp(overloaded());
        if (given) break;
        if (bytes <= maxBytes) chunks.push(chunk);
      }
      if (bytes > maxBytes) given ??= tooLarge(maxBytes, bytes);
      if (given) return given;
      const body = Buffer.concat(chunks);
      return encoding === undefined ? body : await decompress(body, encoding, maxBytes, reserve);
    } catch (error) {
      return given ?? brokenOff(error);
    } finally {
      this.#budget.release(reserved);
      this.#arrivals.remove(arrival);
    }
  }

  #late(): Rejection {
    return new Rejection("request_timeout", `The body did not arrive within ${this.#timeoutMs} ms.`, {
      closes: true,
    });
  }
}

async function useNow<T>(use: BodyUse<T>, rejection: Rejection): Promise<T> {
  return use(rejection);
}

/** The server reads what is left of a body by itself, and throws it away. */
function tooLarge(maxBytes: number, bytes: number): Rejection {
  return new Rejection("too_large", `The body has more than ${maxBytes} bytes.`, {
    closes: bytes > DRAIN_BYTES,
  });
}

function overloaded(): Rejection {
  return new Rejection("overloaded", "Too many bytes are arriving at once: try again shortly.", {
    retryAfterSeconds: 1,
  });
}

/** Nobody is left to read this answer; it is counted. */
function brokenOff(error: unknown): Rejection {
  return new Rejection("bad_encoding", `The body broke off: ${(error as Error).message}`);
}
