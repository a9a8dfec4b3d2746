// Makes sure that the native addon is there before Confluent's JavaScript looks for it.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

// Not taken from build/paths.ts: an image may carry this folder without the build's inputs.
const addonDir = join(
  dirname(Bun.resolveSync("@confluentinc/kafka-javascript/package.json", import.meta.dir)),
  "build",
  "Release",
);
const addonPath = join(addonDir, "confluent-kafka-javascript.node");
const installScript = join(dirname(import.meta.dir), "build", "install.ts");

/** There is no usable addon, and it could not be built; the message says what is missing and how to get it. */
export class AddonUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AddonUnavailableError";
  }
}

/** The addon's outbox: `createOutbox` makes one. */
export interface NativeOutbox {
  /** Once the producer has connected: the topic that `produce` sends to. */
  open(topic: string): void;
  /** @returns how many records weren't taken; `spans` then has each record's error */
  produce(slab: Buffer, spans: Buffer, count: number): number;
  /**
   * One record with a topic, partition, time or headers of its own.
   * @param partition -1 for the partitioner's choice
   * @param timestampMs Unix ms, 0 for now
   * @param headers name, content, name, content …
   * @returns librdkafka's error code, 0 when it was taken
   */
  produceOne(
    topic: string,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    token: number,
    headers?: (string | Uint8Array)[],
  ): number;
  /** @returns how many outcomes of `OUTCOME_BYTES` were written; fewer than fit: there are no more */
  takeOutcomes(into: Buffer): number;
  /** Before the producer disconnects. What is queued fails; its outcomes are there once it has disconnected. */
  close(): void;
}

/** What the addon itself exports, as far as it is used here. */
interface NativeAddon {
  Outbox: new (producer: unknown, onOutcomes: () => void) => NativeOutbox;
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
    // A build takes a minute: on a terminal its progress is shown as it comes.
    stderr: process.stderr.isTTY ? "inherit" : "pipe",
  });
  if (exitCode === 0 && existsSync(addonPath)) return;
  const told = stderr?.toString().split("kafka-native: error: ").at(-1)?.trim();
  throw new AddonUnavailableError(told || "the Kafka client's native addon could not be built: see above");
}

/**
 * Loads the native addon, building it first when it is absent and the tools are there (about a minute, once).
 * @throws AddonUnavailableError
 */
export function requireAddon(): void {
  if (addon !== undefined) return;
  if (!existsSync(addonPath)) build();
  try {
    addon = createRequire(import.meta.url)(addonPath) as NativeAddon;
  } catch (error) {
    throw new AddonUnavailableError(
      `the Kafka client's native addon does not load here: ${error instanceof Error ? error.message : error}. ` +
        `It was built on another system or for other libraries: delete ${addonDir} and run \`bun install\``,
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
