#!/usr/bin/env bun
// `bun run replay`: puts dead letters back to the topic they came from. This file only wires; see dead-letter/replay.ts.
import { parseArgs } from "node:util";
import { deadLetterTopic } from "@ingest/contract";
import { toClientConfig, toKafkaError } from "@ingest/kafka";
import { exitCodes, settingsOrExit } from "@ingest/service";
import { readSettings } from "./config.ts";
import { replay } from "./dead-letter/replay.ts";
import { letterWriterConfig } from "./dead-letter/writer-config.ts";

const usage = `Puts dead letters back to the topic they came from, as they were, each once.

  bun run replay [options]

  --topic NAME   the topic (KAFKA_TOPIC, or events); its letters are in DEAD_LETTER_TOPIC, or NAME.dead-letter
  --limit N      put back at most N (all that are there at the start)
  --dry-run      say what would be put back; write nothing
  --help

Where Kafka is: KAFKA_BOOTSTRAP_SERVERS and the other KAFKA_ settings, as for the consumer.
How far it got is kept by the group <KAFKA_GROUP_ID>.replay, so a second run goes on and repeats nothing.
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
const letters = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(topic);
if (letters === "off") fail("DEAD_LETTER_TOPIC is off: there are no dead letters");

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
      // The letters that are there are the point, wherever the events' group began.
      "auto.offset.reset": "earliest",
    },
    producer: letterWriterConfig(process.env),
    deadLetterTopic: letters,
    topic,
    limit,
    isDryRun: options["dry-run"],
    signal: stop.signal,
    onLetter({ partition, offset, key }, why) {
      const place = `${letters}[${partition}]@${offset}`;
      const did = options["dry-run"] ? "would be put back" : "put back";
      const words = why === undefined ? did : `left: it ${why}`;
      process.stdout.write(
        `${place} key ${key === null ? "none" : JSON.stringify(key.toString())} ${words}\n`,
      );
    },
  });
  process.stdout.write(
    `${options["dry-run"] ? "would put back" : "put back"} ${replayed}, left ${skipped}, from ${letters} to ${topic}\n`,
  );
  process.exit(exitCodes.clean);
} catch (thrown) {
  const { message, code } = toKafkaError(thrown);
  process.stderr.write(`replay: ${message} (${code})\n`);
  process.exit(exitCodes.failed);
}
