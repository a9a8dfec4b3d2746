// Heads that were parsed, by their text: the requests of one client differ in little but their Content-Length, and parsing
// a head costs more than everything that is done with it.
import { parseHead } from "./head-parser.ts";
import { HttpRejection } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";

/** Most heads that are kept, and the longest: clients choose their heads, and these limit the memory for them. */
const MAX_HEADS = 1_024;
const MAX_KEPT_LENGTH = 2_048;

export class HeadCache {
  readonly #heads = new Map<string, RequestHead>();

  parse(text: string): RequestHead | HttpRejection {
    const known = this.#heads.get(text);
    if (known !== undefined) return known;
    const head = parseHead(text);
    if (head instanceof HttpRejection || text.length > MAX_KEPT_LENGTH) return head;
    // Heads that are still in use are soon back.
    if (this.#heads.size >= MAX_HEADS) this.#heads.clear();
    this.#heads.set(text, head);
    return head;
  }
}
