// Where schemas come from.
import type { CompiledSchema } from "./compiled-schema.ts";

export interface SchemaListener {
  /** All schemas that the source has now. */
  onSchemas(schemas: readonly CompiledSchema[]): void;
  /** What the source has now cannot be used, or it is unavailable: its former schemas stay in use. */
  onFailure(error: unknown): void;
}

export interface SchemaSource {
  /** Names it in the log: a folder, or a URL. */
  readonly name: string;
  /** Resolves once it has called `onSchemas`. @throws when it has no usable schemas at the start */
  start(listener: SchemaListener): Promise<void>;
  stop(): Promise<void>;
}
