#!/usr/bin/env bun
// `bun run replay`: replays dead letters to their original topic. This file only wires; see dead-letter/replay.ts.
import { parseArgs } from "node:util";
import { deadLetterTopic } from "@ingest/contract";
import { toClientConfig, toKafkaError } from "@ingest/kafka";
import { exitCodes, settingsOrExit } from "@ingest/service";
import { readSettings } from "./config.ts";
import { deadLetterProducerConfig } from "./dead-letter/producer-config.ts";
import { replay } from "./dead-letter/replay.ts";

const usage = `Replays dead letters: writes each original record to its topic again, once.

  bun run replay [options]

  --topic NAME   the original topic (default: KAFKA_TOPIC, or events)
  --limit N      replay at most N dead letters (default: all that exist at the start)
  --dry-run      show what would be replayed; write nothing
  --help

Dead letters are read from DEAD_LETTER_TOPIC, or from NAME.dead-letter.
The connection is configured by KAFKA_BOOTSTRAP_SERVERS and the other KAFKA_ settings, as for the consumer.
Progress is committed by the group <KAFKA_GROUP_ID>.replay, so the next run continues and repeats nothing.
`;

function fail(message: string): never {
  process.stderr.write(`replay: ${message}\n`);
  process.exit(exitCodes.settings);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        topic: { type: "string" },
        limit: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`);
  }
}

const options = readOptions();
if (options.help) {
  process.stdout.write(usage);
  process.exit(exitCodes.clean);
}
const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : Number(options.limit);
if (!(limit >= 1) || (options.limit !== undefined && !Number.isInteger(limit)))
  fail(`--limit must be a whole number from 1, not "${options.limit}"`);
const settings = settingsOrExit(() => readSettings(process.env));
const topic = options.topic ?? settings.KAFKA_TOPIC;
const source = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(topic);
if (source === "off") fail("DEAD_LETTER_TOPIC is off: there are no dead letters");

const replayedText = options["dry-run"] ? "would replay" : "replayed";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

try {
  const { KAFKA_GROUP_INSTANCE_ID: _, ...shared } = settings;
  const consumer = toClientConfig(shared, "consumer", process.env);
  const { replayed, skipped } = await replay({
    consumer: {
      ...consumer,
      "group.id": `${settings.KAFKA_GROUP_ID}.replay`,
      // Existing dead letters are replayed, whatever the events' group starts with.
      "auto.offset.reset": "earliest",
    },
    producer: deadLetterProducerConfig(process.env),
    deadLetterTopic: source,
    topic,
    limit,
    isDryRun: options["dry-run"],
    signal: stop.signal,
    onDeadLetter({ partition, offset, key }, skipReason) {
      const keyText = key === null ? "none" : JSON.stringify(key.toString());
      const outcome = skipReason === undefined ? replayedText : `skipped: it ${skipReason}`;
      process.stdout.write(`${source}[${partition}]@${offset} key ${keyText} ${outcome}\n`);
    },
  });
  process.stdout.write(`${replayedText} ${replayed}, skipped ${skipped}, from ${source} to ${topic}\n`);
  process.exit(exitCodes.clean);
} catch (thrown) {
  const { message, code } = toKafkaError(thrown);
  process.stderr.write(`replay: ${message} (${code})\n`);
  process.exit(exitCodes.failed);
}
