import { expect, test } from "bun:test";
import type { Problem } from "@ingest/contract";
import { createTestApp } from "../testing/test-app.ts";

const EVENT = '{"event_type":"a"}';
const types = ["application/json", "application/x-ndjson"];

test.each(["utf-8", "UTF-8", '"utf-8"', '"Utf-8"', "utf8", "us-ascii"])(
  "charset=%s is taken",
  async (charset) => {
    const { post } = createTestApp();
    for (const type of types) {
      const body = type === "application/json" ? `[${EVENT}]` : EVENT;
      const response = await post("/register_events", body, {
        "content-type": `${type}; charset=${charset}`,
      });
      expect(response.status).toBe(202);
    }
  },
);

test.each(["iso-8859-1", '"UTF-16LE"', "windows-1252", "utf-8; charset=latin1"])(
  "charset=%s is 415, and is named",
  async (charset) => {
    const { post, delivery } = createTestApp();
    for (const type of types) {
      const response = await post("/register_events", `[${EVENT}]`, {
        "content-type": `${type};charset=${charset}`,
      });
      expect(response.status).toBe(415);
      const { code, detail } = (await response.json()) as Problem;
      expect(code).toBe("unsupported_media_type");
      const name = charset.split("=").at(-1)!.replaceAll('"', "");
      expect(detail).toBe(`Charset "${name}" is not supported: send UTF-8.`);
    }
    expect(delivery.taken).toEqual([]);
  },
);
