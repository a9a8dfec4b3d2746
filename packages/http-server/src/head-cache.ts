// Heads that were parsed, by their text: the requests of one client differ in little but their Content-Length, and parsing
// a head costs more than everything that is done with it.
import { parseHead } from "./head-parser.ts";
import { HttpRejection } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";

/** Most heads of a generation, and the longest that is kept: clients choose their heads, and these limit the memory for them. */
const MAX_HEADS = 512;
const MAX_KEPT_LENGTH = 2_048;

/**
 * Two generations: a full one becomes the older, and of that only heads that are used again move on. So a client with
 * ever new heads, such as wrong keys, does not displace those in use.
 */
export class HeadCache {
  #recent = new Map<string, RequestHead>();
  #older = new Map<string, RequestHead>();

  parse(text: string): RequestHead | HttpRejection {
    const known = this.#recent.get(text);
    if (known !== undefined) return known;
    const head = this.#older.get(text) ?? parseHead(text);
    if (head instanceof HttpRejection || text.length > MAX_KEPT_LENGTH) return head;
    if (this.#recent.size >= MAX_HEADS) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, head);
    return head;
  }
}
