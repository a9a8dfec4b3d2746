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

/** The table of positions stands beside that of the events: `events_positions`. */
export function createPositionsStatement(table: string): string {
  return `create table if not exists ${quoted(`${table}_positions`)} (
  consumer_group text not null,
  topic text not null,
  "partition" integer not null,
  topic_id text not null,
  "offset" bigint not null,
  primary key (consumer_group, topic, "partition")
)`;
}

export function selectPositionsStatement(table: string): string {
  return `select "partition", "offset" from ${quoted(`${table}_positions`)}
where consumer_group = $1 and topic = $2 and topic_id = $3`;
}

/**
 * Stores positions: $1 is the group, $2 a JSON array. A former owner's older position is left out. Only another topic of
 * the name, or a truncated log, moves a position back.
 */
export function positionsStatement(table: string): string {
  const positions = quoted(`${table}_positions`);
  return `insert into ${positions} as stored (consumer_group, topic, "partition", topic_id, "offset")
select $1::text, p.topic, p.partition, p."topicId", p.offset
from json_to_recordset($2::text::json) as p(topic text, "partition" integer, "topicId" text, "offset" bigint)
on conflict (consumer_group, topic, "partition") do update
set topic_id = excluded.topic_id, "offset" = excluded."offset"
where stored.topic_id <> excluded.topic_id or stored."offset" < excluded."offset"
  or exists (select from json_to_recordset($2::text::json) as p(topic text, "partition" integer, "isRewound" boolean)
    where p.topic = excluded.topic and p.partition = excluded."partition" and p."isRewound")`;
}

/** For a table that was made before there were CloudEvents. */
export function addColumnStatement(table: string): string {
  return `alter table ${quoted(table)} add column if not exists cloudevent jsonb`;
}

/**
 * Inserts a batch, the JSON array $3, and the positions behind it ($1 and $2 of `positionsStatement`): one statement, and
 * so one transaction, however many events there are. Events whose event_id is in the table already are left out. The event_id of a CloudEvent has its source
 * before it: its id is unique only there.
 * @param hasCloudEvents whether some of the batch are CloudEvents: other batches need no column for them
 */
export function insertStatement(table: string, hasCloudEvents: boolean): string {
  const [column, value] = hasCloudEvents ? [" cloudevent,", " (r.event->'cloudevent')::jsonb,"] : ["", ""];
  return `with inserted as (insert into ${quoted(table)}
  (event_id, event_type, user_id, occurred_at, received_at, payload,${column} topic, "partition", "offset")
select coalesce(r.identity, r.event->>'event_id'), r.event->>'event_type', r.event->>'user_id', r.occurred_at, r.received_at,
  (r.event->'payload')::jsonb,${value} r.topic, r.partition, r.offset
from json_to_recordset($3::text::json) as r(event json, occurred_at timestamptz, received_at timestamptz,
  topic text, "partition" integer, "offset" bigint, identity text)
on conflict (event_id) do nothing)
${positionsStatement(table)}`;
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
