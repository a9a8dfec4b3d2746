// Loads the native addon, and builds it first when it is missing, before Confluent's JavaScript needs it.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

// Not imported from build/paths.ts: an image may contain this folder without the build's inputs.
const addonDir = join(
  dirname(Bun.resolveSync("@confluentinc/kafka-javascript/package.json", import.meta.dir)),
  "build",
  "Release",
);
const addonPath = join(addonDir, "confluent-kafka-javascript.node");
const installScript = join(dirname(import.meta.dir), "build", "install.ts");

/** There is no usable addon and it could not be built. The message names what is missing and how to install it. */
export class AddonUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AddonUnavailableError";
  }
}

/** The addon's outbox, created by `createOutbox`. */
export interface NativeOutbox {
  /**
   * Opens a topic for `produce`. Call it once the producer has connected.
   * @param settings librdkafka's settings of the topic where they differ from the client's: name, value, name, value …
   * @returns its index in `spans`
   */
  open(topic: string, settings?: readonly string[]): number;
  /** @returns how many records were rejected; if any, `spans` contains each record's error code */
  produce(slab: Buffer, spans: Buffer, count: number): number;
  /**
   * Produces one record with its own topic, partition, timestamp or headers.
   * @param partition -1 for the partitioner's choice
   * @param timestampMs Unix ms, 0 for now
   * @param headers a block as outbox/outbox.h has it
   * @returns librdkafka's error code, 0 when the record was accepted
   */
  produceOne(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    token: number,
    headers?: Uint8Array,
  ): number;
  /** @returns how many outcomes of `OUTCOME_BYTES` were written; fewer than fit when there are no more */
  takeOutcomes(into: Buffer): number;
  /** Purges queued records. Call it before the producer disconnects; their outcomes can be taken once it has. */
  close(): void;
}

/** The addon's exports that are used here. */
interface NativeAddon {
  Outbox: new (producer: unknown, onOutcomes: () => void) => NativeOutbox;
  /** admin/topic_config.h */
  topicConfig(
    client: unknown,
    topic: string,
    timeoutMs: number,
    done: (code: number, entries: string[]) => void,
  ): void;
  librdkafkaVersion: string;
  /** librdkafka's `builtin.features`, separated by commas. */
  features(): string;
}

let addon: NativeAddon | undefined;

function build(): void {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, installScript], {
    env: { ...process.env, KAFKA_NATIVE_REQUIRED: "1", KAFKA_NATIVE_SKIP: undefined },
    stdin: "ignore",
    stdout: "ignore",
    // A build takes a minute: a terminal shows its progress.
    stderr: process.stderr.isTTY ? "inherit" : "pipe",
  });
  if (exitCode === 0 && existsSync(addonPath)) return;
  const reason = stderr?.toString().split("kafka-native: error: ").at(-1)?.trim();
  throw new AddonUnavailableError(
    reason || "the Kafka client's native addon could not be built; see the output above",
  );
}

/**
 * Loads the native addon, building it first when it is missing and the tools are installed (about a minute, once).
 * @throws AddonUnavailableError
 */
export function requireAddon(): void {
  if (addon !== undefined) return;
  if (!existsSync(addonPath)) build();
  try {
    addon = createRequire(import.meta.url)(addonPath) as NativeAddon;
  } catch (error) {
    throw new AddonUnavailableError(
      `the Kafka client's native addon can't be loaded: ${error instanceof Error ? error.message : error}. ` +
        `It was built on another system or with other libraries: delete ${addonDir} and run \`bun install\``,
      { cause: error },
    );
  }
}

/** @throws AddonUnavailableError */
export function nativeAddon(): NativeAddon {
  requireAddon();
  return addon!;
}

/** What the loaded addon was built with. */
export interface BuildInfo {
  /** librdkafka's version, for example "2.15.1". */
  librdkafkaVersion: string;
  /** librdkafka's `builtin.features`, for example "ssl", "sasl_scram", "zstd". */
  features: readonly string[];
}

/** @throws AddonUnavailableError */
export function buildInfo(): BuildInfo {
  const { librdkafkaVersion, features } = nativeAddon();
  return { librdkafkaVersion, features: features().split(",") };
}
