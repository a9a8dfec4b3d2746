// SCHEMA_DIR as a source: read at the start, and again when it changes. All of its schemas are used, or none.
import { compileSchemas } from "./compile.ts";
import { readSchemaFolder } from "./folder.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { SchemaListener, SchemaSource } from "./source.ts";

export class FolderSource implements SchemaSource {
  readonly name: string;
  readonly #intervalMs: number | undefined;
  #watch: FolderWatch | undefined;

  constructor(folder: string, intervalMs?: number) {
    this.name = folder;
    this.#intervalMs = intervalMs;
  }

  /** @throws SchemaError when the folder cannot be used */
  async start(listener: SchemaListener): Promise<void> {
    const load = () => listener.onSchemas(compileSchemas(readSchemaFolder(this.name)));
    const onChange = () => {
      try {
        load();
      } catch (error) {
        listener.onFailure(error);
      }
    };
    // Before the folder is read: what changes in between is noticed.
    this.#watch = new FolderWatch(this.name, onChange, this.#intervalMs);
    await this.#watch.start();
    load();
  }

  async stop(): Promise<void> {
    await this.#watch?.stop();
  }
}
