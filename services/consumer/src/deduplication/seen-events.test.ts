import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { type SeenEvent, SeenEvents } from "./seen-events.ts";

const { path: folder, [Symbol.dispose]: removeFolder } = temporaryFolder("seen-events");
afterAll(removeFolder);

const at = (
  offset: number,
  event_id: string,
  { partition = 0, signal = new AbortController().signal } = {},
): SeenEvent => ({ topic: "events", partition, offset, event: { event_id }, signal });

function handle(seen: SeenEvents, event: SeenEvent): boolean {
  if (!seen.claim(event)) return false;
  seen.handled(event);
  seen.remember(seen.takeHandled());
  return true;
}

describe("SeenEvents", () => {
  test("an id is handled once per partition", () => {
    const seen = new SeenEvents({ groupId: "g", path: ":memory:", windowOffsets: 100 });
    expect(handle(seen, at(0, "a"))).toBe(true);
    expect(handle(seen, at(1, "a"))).toBe(false);
    expect(handle(seen, at(1, "b"))).toBe(true);
    expect(handle(seen, at(0, "a", { partition: 1 }))).toBe(true);
    seen.close();
  });

  test("CloudEvents with the same id and another source are not duplicates", () => {
    const seen = new SeenEvents({ groupId: "g", path: ":memory:", windowOffsets: 100 });
    const from = (offset: number, source: string): SeenEvent => {
      const { event, ...place } = at(offset, "a");
      return { ...place, event: { ...event, cloudevent: { source } } };
    };
    expect(handle(seen, from(0, "/shop"))).toBe(true);
    expect(handle(seen, from(1, "/stock"))).toBe(true);
    expect(handle(seen, from(2, "/shop"))).toBe(false);
    expect(handle(seen, at(3, "a"))).toBe(true);
    seen.close();
  });

  test("a claim stands until it is released", () => {
    const seen = new SeenEvents({ groupId: "g", path: ":memory:", windowOffsets: 100 });
    expect(seen.claim(at(0, "a"))).toBe(true);
    expect(seen.claim(at(1, "a"))).toBe(false);
    seen.release(at(0, "a"));
    expect(seen.claim(at(1, "a"))).toBe(true);
    seen.close();
  });

  // Fault: the claim of a handler whose partition was revoked counted as handled, and the event was lost if it failed.
  test.each(["handled", "release"] as const)(
    "a claim whose partition was revoked decides nothing before its handler ends (%s)",
    async (end) => {
      const seen = new SeenEvents({ groupId: "g", path: ":memory:", windowOffsets: 100 });
      const revoked = new AbortController();
      const first = at(0, "a", { signal: revoked.signal });
      expect(seen.claim(first)).toBe(true);
      revoked.abort();
      const waiting = seen.claim(at(0, "a"));
      expect(waiting).toBeInstanceOf(Promise);
      seen[end](first);
      await waiting;
      expect(seen.claim(at(0, "a"))).toBe(end === "release");
      seen.close();
    },
  );

  test("the window moves with the partition's offsets, and ids outside it are deleted", () => {
    const path = join(folder, "window.sqlite");
    const seen = new SeenEvents({ groupId: "g", path, windowOffsets: 100 });
    for (let offset = 0; offset < 1_000; offset++) handle(seen, at(offset, `id-${offset}`));
    expect(seen.claim(at(1_000, "id-950"))).toBe(false);
    expect(seen.claim(at(1_000, "id-900"))).toBe(true);
    expect(seen.size()).toBeLessThanOrEqual(111);
    seen.close();
  });

  test("ids outlast the process, and consumers with the same file share them", () => {
    const path = join(folder, "shared", "seen.sqlite");
    const first = new SeenEvents({ groupId: "g", path, windowOffsets: 100 });
    const second = new SeenEvents({ groupId: "g", path, windowOffsets: 100 });
    expect(handle(first, at(0, "a"))).toBe(true);
    expect(handle(second, at(1, "a"))).toBe(false);
    first.close();
    second.close();
    const third = new SeenEvents({ groupId: "g", path, windowOffsets: 100 });
    expect(handle(third, at(2, "a"))).toBe(false);
    third.close();
  });

  // Fault: the id alone was the key, so a second group with the same file treated the first one's events as duplicates.
  test("groups that share a file each handle the event", () => {
    const path = join(folder, "groups.sqlite");
    const first = new SeenEvents({ path, groupId: "first", windowOffsets: 100 });
    const second = new SeenEvents({ path, groupId: "second", windowOffsets: 100 });
    expect(handle(first, at(0, "a"))).toBe(true);
    expect(handle(second, at(0, "a"))).toBe(true);
    expect(handle(first, at(1, "a"))).toBe(false);
    expect(handle(second, at(1, "a"))).toBe(false);
    // Pruning one group's ids leaves the other's.
    for (let offset = 2; offset < 500; offset++) handle(first, at(offset, `id-${offset}`));
    expect(second.claim(at(50, "a"))).toBe(false);
    first.close();
    second.close();
  });

  test("a file with an older table still works", () => {
    const path = join(folder, "older.sqlite");
    const older = new Database(path, { create: true });
    older.run("CREATE TABLE seen (topic TEXT, partition INTEGER, event_id TEXT, at_offset INTEGER)");
    older.run("CREATE INDEX seen_by_offset ON seen (topic, partition, at_offset)");
    older.close();
    const seen = new SeenEvents({ path, groupId: "g", windowOffsets: 100 });
    expect(handle(seen, at(0, "a"))).toBe(true);
    expect(handle(seen, at(1, "a"))).toBe(false);
    seen.close();
  });

  test("an id may contain any characters", () => {
    const seen = new SeenEvents({ groupId: "g", path: ":memory:", windowOffsets: 100 });
    for (const id of ["'; DROP TABLE seen; --", "\u0000", "💥", "a:b", "a:b:c", "\ud800"]) {
      expect(handle(seen, at(0, id))).toBe(true);
      expect(handle(seen, at(1, id))).toBe(false);
    }
    seen.close();
  });
});
