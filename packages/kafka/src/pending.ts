// Records without an outcome yet: librdkafka carries a token, and the token leads to the caller's context. Tokens are
// reused, so a record in flight allocates nothing here.

export class PendingRecords {
  readonly #contexts: unknown[] = [];
  readonly #topics: string[] = [];
  readonly #sizes: number[] = [];
  readonly #free: number[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Of keys, values and headers together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the record's token */
  add(topic: string, size: number, context: unknown): number {
    const token = this.#free.pop() ?? this.#contexts.length;
    this.#contexts[token] = context;
    this.#topics[token] = topic;
    this.#sizes[token] = size;
    this.#count++;
    this.#bytes += size;
    return token;
  }

  /** Sets the size, once it is known. */
  resize(token: number, size: number): void {
    this.#bytes += size - this.#sizes[token]!;
    this.#sizes[token] = size;
  }

  topicOf(token: number): string {
    return this.#topics[token]!;
  }

  /** Frees a record's token. @returns its context */
  release(token: number): unknown {
    const context = this.#contexts[token];
    this.#contexts[token] = undefined;
    this.#bytes -= this.#sizes[token]!;
    this.#sizes[token] = FREE;
    this.#count--;
    this.#free.push(token);
    return context;
  }

  /** The tokens in use. */
  tokens(): number[] {
    return [...this.#sizes.keys()].filter((token) => this.#sizes[token] !== FREE);
  }
}

const FREE = -1;
