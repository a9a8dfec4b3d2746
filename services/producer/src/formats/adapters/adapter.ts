// The interface of the adapters: bodies of other products → events as callers of this API would send them.
import type { RequestHead } from "@ingest/http-server";
import type { Encoding } from "../../http/content.ts";
import type { Rejection } from "../../rejection.ts";

export interface Translation {
  /** Not checked yet: they are decoded as a batch of events in JSON. */
  readonly events: readonly unknown[];
  /** The key in the body, which is no part of any event. */
  readonly key: string | undefined;
}

/** One product's API. Its translation is pure. */
export interface Adapter {
  readonly product: string;
  readonly paths: readonly string[];
  /** The body of the response when every event was taken. */
  readonly success: object;
  /** Its clients send their key in the body, when they send it in no header. */
  readonly hasKeyInBody?: boolean;
  /** Content-Types beside JSON. */
  takes?(contentType: string): boolean;
  /** The encodings that its clients name elsewhere than in Content-Encoding. */
  encodingsOf?(head: RequestHead): readonly Encoding[] | undefined | Rejection;
  /** The JSON in a body that is not JSON as a whole. */
  toJson?(text: string, head: RequestHead): string;
  /** @param body parsed by `parseExactly` */
  translate(body: unknown, path: string): Translation | Rejection;
}
