// Reads a request's body: no larger, no slower and not more of them at once than allowed; decompressed where needed.
import { Rejection } from "../rejection.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { type Encoding, toEncoding } from "./content.ts";
import { decompress } from "./decompress.ts";

export interface BodyReaderOptions {
  /** How long a body may take to arrive, ms. */
  timeoutMs: number;
  /** What all bodies that are arriving may hold together. */
  budget: ByteBudget;
}

/** Late bodies are looked for this often, ms. */
const SWEEP_MS = 250;

/** A body that is on its way. One clock for all of them: a timer each would cost more than the reading. */
interface Arrival {
  readonly sinceMs: number;
  readonly giveUp: (rejection: Rejection) => void;
}

export class BodyReader {
  readonly #timeoutMs: number;
  readonly #budget: ByteBudget;
  /** Oldest first. */
  readonly #arrivals = new Set<Arrival>();
  readonly #timer: Timer;

  constructor({ timeoutMs, budget }: BodyReaderOptions) {
    this.#timeoutMs = timeoutMs;
    this.#budget = budget;
    this.#timer = setInterval(() => this.#rejectLate(performance.now()), Math.min(SWEEP_MS, timeoutMs));
    this.#timer.unref();
  }

  /**
   * Never rejects: what goes wrong is a Rejection.
   * @param maxBytes of the body as it is sent, and of what it is once decompressed
   */
  read(request: Request, maxBytes: number): Promise<Buffer | Rejection> {
    const encoding = toEncoding(request.headers.get("content-encoding"));
    if (encoding instanceof Rejection) return Promise.resolve(encoding);
    const length = request.headers.get("content-length");
    const declared = length === null ? undefined : Number(length);
    if (declared !== undefined && declared > maxBytes) return Promise.resolve(tooLarge(maxBytes));
    return declared === undefined || encoding !== undefined
      ? this.#readPieces(request, maxBytes, encoding)
      : this.#readWhole(request, declared);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The usual way: the length is known and right, for the server holds the connection to it. */
  #readWhole(request: Request, bytes: number): Promise<Buffer | Rejection> {
    if (!this.#budget.take(bytes)) return Promise.resolve(overloaded());
    return new Promise((resolve) => {
      const arrival: Arrival = { sinceMs: performance.now(), giveUp: resolve };
      this.#arrivals.add(arrival);
      request.arrayBuffer().then(
        (body) => {
          this.#budget.release(bytes);
          this.#arrivals.delete(arrival);
          resolve(Buffer.from(body));
        },
        (error: unknown) => {
          this.#budget.release(bytes);
          this.#arrivals.delete(arrival);
          resolve(brokenOff(error));
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
    const arrival: Arrival = {
      sinceMs: performance.now(),
      giveUp: (rejection) => {
        given = rejection;
        void reader.cancel().catch(() => undefined);
      },
    };
    this.#arrivals.add(arrival);
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      if (!this.#budget.take(bytes)) return false;
      reserved += bytes;
      return true;
    };
    try {
      const chunks: Uint8Array[] = [];
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        if (value === undefined) continue;
        if (reserved + value.length > maxBytes) given ??= tooLarge(maxBytes);
        else if (!reserve(value.length)) given ??= overloaded();
        if (given) {
          void reader.cancel().catch(() => undefined);
          break;
        }
        chunks.push(value);
      }
      if (given) return given;
      const body = Buffer.concat(chunks);
      return encoding === undefined ? body : await decompress(body, encoding, maxBytes, reserve);
    } catch (error) {
      return given ?? brokenOff(error);
    } finally {
      this.#budget.release(reserved);
      this.#arrivals.delete(arrival);
    }
  }

  #rejectLate(nowMs: number): void {
    for (const arrival of this.#arrivals) {
      if (nowMs - arrival.sinceMs < this.#timeoutMs) return;
      this.#arrivals.delete(arrival);
      arrival.giveUp(
        new Rejection("request_timeout", `The body did not arrive within ${this.#timeoutMs} ms.`, {
          closes: true,
        }),
      );
    }
  }
}

/** The rest of a body that is too large isn't waited for, so the connection ends with the answer. */
function tooLarge(maxBytes: number): Rejection {
  return new Rejection("too_large", `The body has more than ${maxBytes} bytes.`, { closes: true });
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
