import { expect, test } from "bun:test";
import { GroupCommit } from "./group-commit.ts";

/** A disk whose fsync ends when the test says so. */
function disk() {
  const state = { flushes: 0, syncs: 0, isBroken: false, release: () => {}, fail: () => {} };
  const target = {
    flush: () => {
      state.flushes++;
      return !state.isBroken;
    },
    sync: () => {
      state.syncs++;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      state.release = () => resolve(true);
      state.fail = () => resolve(false);
      return promise;
    },
  };
  return { state, target };
}

async function turns(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise(setImmediate);
}

test("all commits within the interval share one promise and one fsync", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 5, lazySyncMs: 1_000 });
  const group = commits.commit();
  expect(commits.commit()).toBe(group);
  await turns(() => state.syncs === 1);
  state.release();
  expect(await group).toBe(true);
  expect(state.flushes).toBe(1);
});

test("a commit during an fsync waits for the next one", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 1_000 });
  const first = commits.commit();
  await turns(() => state.syncs === 1);
  const second = commits.commit();
  expect(second).not.toBe(first);
  state.release();
  await first;
  await turns(() => state.syncs === 2);
  state.release();
  expect(await second).toBe(true);
});

// Responses of a group were made before the next fsync started: the disk was idle meanwhile.
test("the next fsync starts before the previous group is settled", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 1_000 });
  const first = commits.commit();
  await turns(() => state.syncs === 1);
  const second = commits.commit();
  const syncsAtAnswer = first.then(() => state.syncs);
  state.release();
  expect(await syncsAtAnswer).toBe(2);
  state.release();
  expect(await second).toBe(true);
});

test("a commit during a failing fsync fails, even if the next fsync succeeds", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 1_000 });
  const first = commits.commit();
  await turns(() => state.syncs === 1);
  const second = commits.commit();
  state.fail();
  expect(await Promise.all([first, second])).toEqual([false, false]);
});

test("appends without a commit are flushed at once, and synced from time to time", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 3_600_000 });
  for (let i = 1; i <= 3; i++) {
    commits.onAppend();
    await turns(() => state.flushes === i);
  }
  expect(state.syncs).toBe(0);
});

test("a failed write or fsync fails the pending commits", async () => {
  const { state, target } = disk();
  state.isBroken = true;
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 0 });
  expect(await commits.commit()).toBe(false);
  expect(state.syncs).toBe(0);
});

test("closing waits for the fsync in progress and commits pending appends", async () => {
  const { state, target } = disk();
  const commits = new GroupCommit(target, { intervalMs: 0, lazySyncMs: 1_000 });
  const first = commits.commit();
  await turns(() => state.syncs === 1);
  const second = commits.commit();
  const closed = commits.close();
  // One in progress, one for the pending commit, and one for the close.
  for (let syncs = 1; syncs <= 3; syncs++) {
    await turns(() => state.syncs === syncs);
    state.release();
  }
  expect(await Promise.all([first, second, closed])).toEqual([true, true, true]);
});
