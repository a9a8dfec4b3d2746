#!/usr/bin/env bun
// bun scripts/terminal-picture.ts: runs the demo in a terminal and makes docs/demo.svg of what it shows.
import { join } from "node:path";
import { commandLineOrExit } from "../packages/cli-flags/src/index.ts";
import { root } from "./set-up.ts";
import { type Chunk, shortenPauses, toRows } from "./terminal-picture/screen.ts";
import { toSvg } from "./terminal-picture/svg.ts";

await commandLineOrExit(
  {
    name: "bun scripts/terminal-picture.ts",
    about: "Runs the demo in a terminal, and draws docs/demo.svg from its output.",
    flags: {},
  },
  process.argv.slice(2),
);

const columns = 104;
const mostPauseSeconds = 1;

const command = ["run", "--silent", "demo"];
const chunks: Chunk[] = [{ at: 0, text: "$ bun run demo\r\n" }];
const begun = performance.now();
const decoder = new TextDecoder();
const child = Bun.spawn([process.execPath, ...command], {
  cwd: root,
  terminal: {
    cols: columns,
    rows: 40,
    data(_terminal, bytes) {
      const text = decoder.decode(bytes, { stream: true });
      process.stdout.write(text);
      chunks.push({ at: (performance.now() - begun) / 1000, text });
    },
  },
});
if ((await child.exited) !== 0) throw new Error("the demo failed: no picture is made of that");

const svg = toSvg(toRows(shortenPauses(chunks, mostPauseSeconds)), {
  title:
    "A terminal: bun run demo starts Kafka, the producer and the consumer, sends 100,000 events and shows that all arrived",
  columns,
  rows: 26,
  restSeconds: 8,
});
await Bun.write(join(root, "docs/demo.svg"), svg);
