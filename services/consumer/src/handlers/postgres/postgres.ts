// Writes events to a PostgreSQL table, each once: the table's primary key is the event_id.
import { settlesWithin } from "@ingest/wait";
import { SQL } from "bun";
import type { EventContext, EventHandler } from "../../handler.ts";
import {
  addColumnStatement,
  createTableStatement,
  insertStatement,
  isAboutData,
  toRow,
} from "./statements.ts";
import { writeApart } from "./write-apart.ts";

export interface PostgresOptions {
  url: string;
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

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#hasTable = !options.createTable;
    this.#hasColumn = !options.createTable;
    this.#sql = this.#connect();
  }

  readonly handle: EventHandler["handle"] = (event, context) => {
    this.#rows.push({ json: toRow(event, context), isCloudEvent: event.cloudevent !== undefined, context });
  };

  async flush(): Promise<void> {
    if (!this.#hasTable && this.#rows.length > 0) {
      await this.#run(createTableStatement(this.#options.table));
      this.#hasTable = true;
    }
    while (this.#rows.length > 0) {
      const batch = this.#nextBatch();
      const refused = await writeApart(batch, (rows) => this.#write(rows), isAboutData);
      for (const { element, error } of refused) await element.context.deadLetter(String(error));
      // Only now: a failure before leaves the rows here, and they are written again. Those that were are left out then.
      this.#rows.splice(0, batch.length);
    }
  }

  async stop(): Promise<void> {
    await this.#sql.close({ timeout: 0 });
  }

  #nextBatch(): Row[] {
    let characters = 0;
    const end = this.#rows.findIndex(({ json }, i) => {
      characters += json.length;
      return i >= MAX_ROWS || (i > 0 && characters > MAX_CHARACTERS);
    });
    return end === -1 ? [...this.#rows] : this.#rows.slice(0, end);
  }

  async #write(rows: readonly Row[]): Promise<void> {
    const { table } = this.#options;
    const hasCloudEvents = rows.some(({ isCloudEvent }) => isCloudEvent);
    if (hasCloudEvents && !this.#hasColumn) {
      await this.#run(addColumnStatement(table));
      this.#hasColumn = true;
    }
    await this.#run(insertStatement(table, hasCloudEvents), [`[${rows.map(({ json }) => json).join(",")}]`]);
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
