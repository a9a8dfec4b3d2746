// Heads that were read, by their text: a client's requests differ in little but their Content-Length, and reading one
// anew costs more than all that is done with it.
import { Rejection } from "../../rejection.ts";
import { type RequestHead, readHead } from "./head.ts";

/** Heads that are kept, and how long they may be: what callers send decides how much memory this takes. */
const MAX_HEADS = 1_024;
const MAX_KEPT_LENGTH = 2_048;

export class HeadCache {
  readonly #heads = new Map<string, RequestHead>();

  read(text: string): RequestHead | Rejection {
    const known = this.#heads.get(text);
    if (known !== undefined) return known;
    const head = readHead(text);
    if (head instanceof Rejection || text.length > MAX_KEPT_LENGTH) return head;
    // Those that come again are soon back.
    if (this.#heads.size >= MAX_HEADS) this.#heads.clear();
    this.#heads.set(text, head);
    return head;
  }
}
