// Writes events and the position behind them in one transaction. Each event is in the table once: its primary key is the event_id.
import { settlesWithin } from "@ingest/wait";
import { SQL } from "bun";
import type { EventContext, EventHandler, HandledPosition } from "../../handler.ts";
import {
  addColumnStatement,
  createPositionsStatement,
  createTableStatement,
  insertStatement,
  isAboutData,
  positionsStatement,
  selectPositionsStatement,
  toRow,
} from "./statements.ts";
import { writeApart } from "./write-apart.ts";

export interface PostgresOptions {
  url: string;
  /** Positions are stored by group, so that groups may share the tables. */
  groupId: string;
  table: string;
  createTable: boolean;
  /** For each statement, ms. */
  timeoutMs: number;
}

interface Row {
  json: string;
  isCloudEvent: boolean;
  context: EventContext;
}

/** Rows of one statement: its text stays within some megabytes, and a refused row is found in a dozen tries. */
const MAX_ROWS = 2_000;
const MAX_CHARACTERS = 8_000_000;
/** SQLSTATE undefined_table: nothing was stored yet. */
const UNDEFINED_TABLE = "42P01";

/**
 * Collects events and inserts them in `flush`. Offsets are committed only after that, so an event that was inserted and
 * not committed comes again, and is left out then. An event that the table refuses becomes a dead letter; the others of
 * its batch are inserted.
 */
export function createPostgres(options: PostgresOptions): EventHandler {
  return new Postgres(options);
}

class Postgres implements EventHandler {
  readonly name = "postgres";
  readonly #options: PostgresOptions;
  #sql: SQL;
  #hasTable: boolean;
  #hasColumn: boolean;
  #rows: Row[] = [];
  /** By partition: the position that was written last. */
  readonly #written = new Map<number, number>();
  /** By partition: the position that was stored when partitions were assigned last. */
  #loaded = new Map<number, number>();
  /** Partitions read from below that: their log was truncated, so their position moves back. */
  readonly #rewound = new Set<number>();

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#hasTable = !options.createTable;
    this.#hasColumn = !options.createTable;
    this.#sql = this.#connect();
  }

  readonly handle: EventHandler["handle"] = (event, context) => {
    this.#rows.push({ json: toRow(event, context), isCloudEvent: event.cloudevent !== undefined, context });
  };

  async flush(positions: readonly HandledPosition[]): Promise<void> {
    if (!this.#hasTable && this.#rows.length > 0) {
      await this.#run(createTableStatement(this.#options.table));
      await this.#run(createPositionsStatement(this.#options.table));
      this.#hasTable = true;
    }
    // Rows that come meanwhile are written with the position behind them, by the next flush.
    for (let left = this.#rows.length; left > 0; ) {
      const batch = this.#nextBatch(left);
      for (const { context } of batch)
        if (context.offset < (this.#loaded.get(context.partition) ?? 0)) this.#rewound.add(context.partition);
      const behind = positionsBehind(positions, this.#rows.slice(batch.length)).map((position) => ({
        ...position,
        isRewound: position.isRewound || this.#rewound.has(position.partition),
      }));
      let isWhole = false;
      const write = async (rows: readonly Row[]) => {
        const whole = rows.length === batch.length;
        await this.#write(rows, whole ? behind : []);
        isWhole ||= whole;
      };
      const refused = await writeApart(batch, write, isAboutData);
      for (const { element, error } of refused) await element.context.deadLetter(String(error));
      // A position is never ahead of a dead letter.
      if (isWhole) this.#noteWritten(behind);
      else await this.#writePositions(behind);
      // Only now: a failure before leaves the rows here, and they are written again. Those that were are left out then.
      this.#rows.splice(0, batch.length);
      left -= batch.length;
    }
    // Behind dead letters there is no row, and after a failure rows may have been written with an older position.
    const ahead = positions.filter(({ partition, offset }) => this.#written.get(partition) !== offset);
    const isAllWritten = this.#rows.length === 0;
    if (this.#hasTable && isAllWritten && ahead.length > 0) await this.#writePositions(ahead);
  }

  async storedPositions(topic: string, topicId: string) {
    const { groupId, table } = this.#options;
    const statement = selectPositionsStatement(table);
    const rows: { partition: number; offset: string }[] = await this.#sql
      .unsafe(statement, [groupId, topic, topicId])
      .catch((error: { errno?: unknown }) => {
        if (error.errno === UNDEFINED_TABLE) return [];
        throw error;
      });
    this.#loaded = new Map(rows.map(({ partition, offset }) => [partition, Number(offset)]));
    this.#rewound.clear();
    return rows.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }));
  }

  async stop(): Promise<void> {
    await this.#sql.close({ timeout: 0 });
  }

  #nextBatch(atMost: number): Row[] {
    let characters = 0;
    const end = this.#rows.findIndex(({ json }, i) => {
      characters += json.length;
      return i >= Math.min(MAX_ROWS, atMost) || (i > 0 && characters > MAX_CHARACTERS);
    });
    return end === -1 ? [...this.#rows] : this.#rows.slice(0, end);
  }

  async #writePositions(positions: readonly HandledPosition[]): Promise<void> {
    const { groupId, table } = this.#options;
    await this.#run(positionsStatement(table), [groupId, JSON.stringify(positions)]);
    this.#noteWritten(positions);
  }

  #noteWritten(positions: readonly HandledPosition[]): void {
    for (const { partition, offset } of positions) this.#written.set(partition, offset);
  }

  async #write(rows: readonly Row[], positions: readonly HandledPosition[]): Promise<void> {
    const { table } = this.#options;
    const hasCloudEvents = rows.some(({ isCloudEvent }) => isCloudEvent);
    if (hasCloudEvents && !this.#hasColumn) {
      await this.#run(addColumnStatement(table));
      this.#hasColumn = true;
    }
    await this.#run(insertStatement(table, hasCloudEvents), [
      this.#options.groupId,
      JSON.stringify(positions),
      `[${rows.map(({ json }) => json).join(",")}]`,
    ]);
  }

  async #run(statement: string, parameters: string[] = []): Promise<void> {
    const { timeoutMs } = this.#options;
    if (await settlesWithin(this.#sql.unsafe(statement, parameters), timeoutMs)) return;
    // The connection may be dead without a word. What it has begun may still happen.
    void this.#sql.close({ timeout: 0 }).catch(() => undefined);
    this.#sql = this.#connect();
    throw new Error(`PostgreSQL didn't respond within ${timeoutMs} ms`);
  }

  /** One connection: batches are written one after the other. It connects with the first statement, and again when lost. */
  #connect(): SQL {
    const { url, timeoutMs } = this.#options;
    return new SQL(url, { max: 1, connectionTimeout: Math.ceil(timeoutMs / 1_000) });
  }
}

/** The positions once all but these rows are written: none is past a row of its partition that is still to be written. */
function positionsBehind(positions: readonly HandledPosition[], rest: readonly Row[]): HandledPosition[] {
  const first = new Map<string, number>();
  for (const { context } of rest) {
    const id = `${context.topic} ${context.partition}`;
    first.set(id, Math.min(first.get(id) ?? context.offset, context.offset));
  }
  return positions.map((position) => {
    const next = first.get(`${position.topic} ${position.partition}`) ?? position.offset;
    return { ...position, offset: Math.min(position.offset, next) };
  });
}
