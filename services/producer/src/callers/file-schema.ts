// The shape of CALLERS_FILE: the TypeScript type, and the JSON Schema that is published as callers.schema.json.
import { durabilities } from "@ingest/contract";
import { type Static, Type } from "@sinclair/typebox";

const strict = { additionalProperties: false };
const Durability = (description: string) =>
  Type.Optional(
    Type.Union(
      durabilities.map((durability) => Type.Literal(durability)),
      { description },
    ),
  );
/** Far beyond any use, and exact as a number of tokens. */
const MAX_LIMIT = 1_000_000_000_000;
const Limit = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description }));
const Names = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      minItems: 1,
      uniqueItems: true,
      description,
    }),
  );

const Key = Type.Object(
  {
    sha256: Type.String({
      pattern: "^[0-9A-Fa-f]{64}$",
      description:
        "SHA-256 of the key, in hexadecimal. `bun run callers new-key` makes a key and prints both.",
    }),
    expires_at: Type.Optional(
      Type.String({
        format: "date-time",
        description:
          "The key is refused from this moment on (RFC 3339). Two keys of a caller can be valid at once, so that one replaces the other without a gap.",
        examples: ["2027-01-31T00:00:00Z"],
      }),
    ),
    in_query: Type.Optional(
      Type.Boolean({
        description:
          "The key is also accepted as the query parameter `write_key`, for `navigator.sendBeacon`, which can't set headers. URLs end up in the logs of proxies: give such a key few rights.",
      }),
    ),
  },
  strict,
);

const rates = {
  events_per_second: Limit("The rate of its events."),
  burst_events: Limit(
    "Events at once after a pause; by default, those of one second. Requires events_per_second.",
  ),
  bytes_per_second: Limit("The rate of its request bodies, in bytes after decompression."),
  burst_bytes: Limit(
    "Bytes at once after a pause; by default, those of one second. Requires bytes_per_second.",
  ),
};
const Limits = Type.Object(
  {
    ...rates,
    events_per_day: Limit("Events in a day of UTC."),
    bytes_per_day: Limit("Bytes of request bodies in a day of UTC, after decompression."),
  },
  strict,
);

const rights = {
  event_types: Names(
    "The event types that it may send: exact ones (`order.created`), or prefixes (`order.*`). Without it, all.",
  ),
  topics: Names("The topics that its events may go to: exact ones, or prefixes (`shop-*`). Without it, all."),
  default_durability: Durability(
    "The durability of its requests that ask for none. By default `DEFAULT_DURABILITY`, or `max_durability` where that is lower.",
  ),
  max_durability: Durability("The highest durability that it may ask for. By default `stored`."),
  limits: Type.Optional(Limits),
  origins: Type.Optional(
    Type.Array(Type.String(), {
      minItems: 1,
      uniqueItems: true,
      description:
        "The origins whose pages may use its keys, as in `CORS_ALLOWED_ORIGINS`, which applies without it. Requests of other programs have no origin.",
    }),
  ),
};

const CallerEntry = Type.Object(
  {
    id: Type.String({
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
      description:
        "Names the caller in logs, metrics and record headers: 1 to 64 letters, digits, dots, dashes and underscores. Not `anonymous` or `none`.",
    }),
    keys: Type.Array(Key, { minItems: 1, description: "Any of them identifies the caller." }),
    ...rights,
  },
  strict,
);
export type CallerEntry = Static<typeof CallerEntry>;

const AnonymousEntry = Type.Object(
  {
    ...rights,
    limits_per_address: Type.Optional(
      Type.Object(rates, {
        ...strict,
        description:
          "Limits of each client address, for each worker: an IPv4 address, or the /64 network of an IPv6 address. `limits` applies to all of them together.",
      }),
    ),
  },
  { ...strict, description: "What requests without a key may send. Without it, they are refused." },
);
export type AnonymousEntry = Static<typeof AnonymousEntry>;

export const CallersFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: "For editors: the URL of this schema." })),
    callers: Type.Array(CallerEntry),
    anonymous: Type.Optional(AnonymousEntry),
  },
  {
    ...strict,
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "CALLERS_FILE: who may send events",
  },
);
export type CallersFile = Static<typeof CallersFile>;

/** The text of callers.schema.json. */
export function callersSchema(): string {
  return `${JSON.stringify(CallersFile, null, 2)}\n`;
}
