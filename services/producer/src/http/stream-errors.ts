// Elysia ends a stream quietly when its generator throws, and the client would take what it has for everything. Here the
// error of the generator becomes the error of the response's body, which cuts the connection.

type Stream = AsyncIterator<unknown> | Iterator<unknown> | ReadableStream<unknown>;

/** What Elysia maps to a streamed response. */
export function isStream(value: unknown): value is Stream {
  return (
    typeof value === "object" &&
    value !== null &&
    (value instanceof ReadableStream || typeof (value as { next?: unknown }).next === "function")
  );
}

/** @param toResponse maps the stream that it is given instead of this one */
export async function keepStreamErrors<Mapped>(
  stream: Stream,
  toResponse: (stream: unknown) => Mapped | Promise<Mapped>,
): Promise<Mapped | Response> {
  const failure: { error?: unknown } = {};
  const mapped = await toResponse(watch(stream, failure));
  if (!(mapped instanceof Response) || mapped.body === null) return mapped;
  return new Response(relay(mapped.body, failure), mapped);
}

/** The same stream; what it throws is noted. `sse()` of Elysia marks streams by a property, which is kept. */
function watch(stream: Stream, failure: { error?: unknown }): unknown {
  if (!(stream instanceof ReadableStream)) return new WatchedGenerator(stream, failure);
  const note = (error: unknown) => {
    failure.error = error;
  };
  return Object.assign(relay(stream, failure, note), { sse: (stream as { sse?: boolean }).sse });
}

/** A class of its own, because Elysia takes a plain object for JSON. */
class WatchedGenerator implements AsyncIterableIterator<unknown> {
  readonly sse: boolean | undefined;
  #hasBegun = false;

  constructor(
    readonly source: AsyncIterator<unknown> | Iterator<unknown>,
    readonly failure: { error?: unknown },
  ) {
    this.sse = (source as { sse?: boolean }).sse;
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      const result = await this.source.next();
      this.#hasBegun = true;
      return result;
    } catch (error) {
      // Before the first piece, Elysia's error hooks respond.
      if (this.#hasBegun) this.failure.error = error;
      throw error;
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    return (await this.source.return?.()) ?? { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** @param onError called when the body itself fails */
function relay<Piece>(
  body: ReadableStream<Piece>,
  failure: { error?: unknown },
  onError: (error: unknown) => void = () => {},
): ReadableStream<Piece> {
  const reader = body.getReader();
  return new ReadableStream<Piece>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) controller.enqueue(value);
          else if ("error" in failure) controller.error(failure.error);
          else controller.close();
        } catch (error) {
          onError(error);
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead of the client.
    { highWaterMark: 0 },
  );
}
