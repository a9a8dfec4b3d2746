// Randomly damaged CloudEvents: nothing throws, and what is taken is a CloudEvent that is read back from its record.
import { expect, test } from "bun:test";
import { contentModeOf, fromRecord } from "@ingest/contract";
import { Body, RequestHead } from "@ingest/http-server";
import { Random } from "@ingest/testkit";
import { Rejection } from "../../rejection.ts";
import { createFormats } from "../index.ts";

const limits = { maxEventBytes: 10_000, maxBatchEvents: 100, maxJsonDepth: 128 };
const ROUNDS = 5_000;
const seeds = [
  '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":[1,"}"],"a":2}}',
  '{"data_base64":"AP/+","specversion":"1.0","id":"1","source":"/s","type":"t","ext":true,"n":5}',
  '{"specversion":"1.0","id":"é","source":"/s","type":"t","datacontenttype":"text/xml","data":"<a b=\\"c\\"/>"}',
];
const fragments = [
  '"',
  "\\",
  "{",
  "}",
  ",",
  ":",
  "null",
  '"data":',
  '"data_base64":"AA=="',
  "\\u0000",
  "\\ud800",
  "1e9",
];

test.each(["binary", "structured"] as const)("written as %s", (output) => {
  const formatOf = createFormats(limits, { CLOUDEVENTS_OUTPUT: output, CLOUDEVENTS_KEY: "subject" });
  const head = new RequestHead("POST", "/register_event", new Map(), 0, true, false);
  const format = formatOf(head, "application/cloudevents+json");
  if (format instanceof Rejection) throw new Error(format.detail);
  const random = new Random(1);
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let text = seeds[random.below(seeds.length)]!;
    for (let damage = random.below(3); damage > 0; damage--) {
      const at = random.below(text.length + 1);
      const inserted = random.below(2) === 0 ? fragments[random.below(fragments.length)]! : "";
      text = text.slice(0, at) + inserted + text.slice(at + random.below(3));
    }
    const event = format.decodeOne(Body.of(Buffer.from(text)));
    if (event instanceof Rejection) continue;
    taken++;
    const headers = (event.headers ?? []).map(([name, value]) => [name, Buffer.from(value!)] as const);
    const read = fromRecord(headers, Buffer.from(event.value), contentModeOf(headers)!);
    if (typeof read === "string") throw new Error(`${text}: ${read}`);
    expect(read.attributes.get("id")).toBe(event.id);
  }
  // The damage is light enough that both results occur often.
  expect(taken).toBeGreaterThan(ROUNDS / 10);
  expect(taken).toBeLessThan(ROUNDS * 0.9);
});
