import { expect, test } from "bun:test";
import { shortenPauses, toRows } from "./screen.ts";
import { toSvg } from "./svg.ts";

test("a row that is written again has one text after the other", () => {
  const rows = toRows([
    { at: 0, text: "\x1b[2mstart\x1b[0m\r\n" },
    { at: 1, text: "\r\x1b[K10 %" },
    { at: 1.01, text: "\r\x1b[K11 %" },
    { at: 2, text: "\r\x1b[K90 %\r\ndo" },
    { at: 2.2, text: "ne\n" },
  ]);
  expect(rows).toEqual([
    { row: 0, from: 0, text: "start" },
    { row: 1, from: 1, until: 2, text: "11 %" },
    { row: 1, from: 2, text: "90 %" },
    { row: 2, from: 2, until: 2.2, text: "do" },
    { row: 2, from: 2.2, text: "done" },
  ]);
});

test("long pauses are cut", () => {
  const chunks = [0, 0.5, 9, 9.5].map((at) => ({ at, text: "x" }));
  expect(shortenPauses(chunks, 1).map(({ at }) => at)).toEqual([0, 0.5, 1.5, 2]);
});

test("a picture without animation shows the last text of each row, cut to the width", () => {
  const svg = toSvg(
    [
      { row: 0, from: 0, until: 1, text: "old" },
      { row: 0, from: 1, text: "a < b & much too long" },
    ],
    { title: "t", columns: 8, rows: 1, restSeconds: 1 },
  );
  expect(svg).toContain(`visibility:hidden">old</text>`);
  expect(svg).toContain(`animation-name:t1">a &#60; b &#38;…</text>`);
});
