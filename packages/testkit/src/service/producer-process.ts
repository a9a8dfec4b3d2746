import { type TemporaryFolder, temporaryFolder } from "../temporary-folder.ts";
import { ServiceProcess } from "./service-process.ts";

export interface ProducerOptions {
  env: Record<string, string>;
  /** Resolve once it is ready (the default), or as soon as it listens. */
  untilReady?: boolean;
  /** A folder that outlives the process; by default one of its own, removed with it. */
  journalDir?: string;
}

export class ProducerProcess extends ServiceProcess {
  readonly #journal: TemporaryFolder | undefined;

  constructor(env: Record<string, string>, journalDir?: string) {
    const journal = journalDir === undefined ? temporaryFolder("journal") : undefined;
    super({
      program: "services/producer/src/main.ts",
      env: {
        PORT: "0",
        LOG_FORMAT: "json",
        SHUTDOWN_DELAY_MS: "0",
        JOURNAL_DIR: journalDir ?? journal!.path,
        ...env,
      },
    });
    this.#journal = journal;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#journal?.[Symbol.dispose]();
  }
}

/** Starts the producer on a free port, with a journal of its own. */
export async function startProducer(options: ProducerOptions): Promise<ProducerProcess> {
  const producer = new ProducerProcess(options.env, options.journalDir);
  try {
    await producer.untilListening();
    if (options.untilReady !== false) await producer.untilReady();
    return producer;
  } catch (error) {
    await producer[Symbol.asyncDispose]();
    throw error;
  }
}
