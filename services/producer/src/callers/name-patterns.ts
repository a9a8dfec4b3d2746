// Names that a list allows: exact ones, and prefixes that end with `*`.

export class NamePatterns {
  readonly #exact: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param patterns `order.created` names one, `order.*` every name that begins with `order.`, `*` all */
  constructor(readonly patterns: readonly string[]) {
    this.#exact = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
    this.#prefixes = patterns
      .filter((pattern) => pattern.endsWith("*"))
      .map((pattern) => pattern.slice(0, -1));
  }

  includes(name: string): boolean {
    return this.#exact.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
