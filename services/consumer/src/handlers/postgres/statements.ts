// The SQL of the postgres handler, and what its errors say of a record.
import { identityOf } from "../../event-identity.ts";
import type { ConsumedEvent, EventContext } from "../../handler.ts";

export function createTableStatement(table: string): string {
  return `create table if not exists ${quoted(table)} (
  event_id text primary key,
  event_type text not null,
  user_id text,
  occurred_at timestamptz not null,
  received_at timestamptz,
  payload jsonb,
  cloudevent jsonb,
  topic text not null,
  "partition" integer not null,
  "offset" bigint not null
)`;
}

/** For a table that was made before there were CloudEvents. */
export function addColumnStatement(table: string): string {
  return `alter table ${quoted(table)} add column if not exists cloudevent jsonb`;
}

/**
 * Inserts a batch, which is one JSON text: however many events there are, it is one statement with one parameter, and so
 * a transaction. Events whose event_id is in the table already are left out. The event_id of a CloudEvent has its source
 * before it: its id is unique only there.
 * @param hasCloudEvents whether some of the batch are CloudEvents: other batches need no column for them
 */
export function insertStatement(table: string, hasCloudEvents: boolean): string {
  const [column, value] = hasCloudEvents ? [" cloudevent,", " (r.event->'cloudevent')::jsonb,"] : ["", ""];
  return `insert into ${quoted(table)}
  (event_id, event_type, user_id, occurred_at, received_at, payload,${column} topic, "partition", "offset")
select coalesce(r.identity, r.event->>'event_id'), r.event->>'event_type', r.event->>'user_id', r.occurred_at, r.received_at,
  (r.event->'payload')::jsonb,${value} r.topic, r.partition, r.offset
from json_to_recordset($1::text::json) as r(event json, occurred_at timestamptz, received_at timestamptz,
  topic text, "partition" integer, "offset" bigint, identity text)
on conflict (event_id) do nothing`;
}

/** An element of the batch's JSON array. The event's own text is copied, so numbers keep their digits. */
export function toRow(event: ConsumedEvent, context: EventContext): string {
  const { topic, partition, offset, text, timestampMs } = context;
  const identity = event.cloudevent === undefined ? "" : `,"identity":${JSON.stringify(identityOf(event))}`;
  const receivedAt = timestampMs < 0 ? null : toText(timestampMs);
  return `{"event":${text},"occurred_at":"${toText(event.timestamp)}","received_at":${JSON.stringify(receivedAt)},"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}${identity}}`;
}

/**
 * Whether an error is about the data of the batch and not about the database: PostgreSQL's classes 22 (data exception),
 * 23 (integrity constraint violation) and 54 (program limit exceeded).
 */
export function isAboutData(error: unknown): boolean {
  const sqlState = (error as { errno?: unknown } | null)?.errno;
  return typeof sqlState === "string" && /^(22|23|54)/.test(sqlState);
}

/** As PostgreSQL reads it; its years have no sign. */
function toText(timestamp: string | number): string {
  return new Date(timestamp).toISOString().replace(/^\+0*/, "");
}

function quoted(table: string): string {
  return table
    .split(".")
    .map((part) => `"${part}"`)
    .join(".");
}
