// Draws curves as small panels of one SVG. Colours follow the reader's light or dark setting, and the background is part
// of the picture, so that it is legible on any page.

interface Mark {
  readonly x: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Panel {
  /** What the x axis shows. */
  readonly title: string;
  /** Ordered by x. */
  readonly marks: readonly Mark[];
}

const PANEL = { width: 300, height: 230, left: 48, right: 18, top: 40, bottom: 34 };
const COLUMNS = 3;
const HEADER = 44;
const TITLE = "CPU µs an event, as one dimension grows";

const STYLE = `
  .page { fill: #ffffff } .grid { stroke: #e3e5e8 } .text { fill: #1f2328 } .quiet { fill: #5c6670 }
  .line, .range { stroke: #0b6bcb } .dot { fill: #0b6bcb; stroke: #ffffff }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .grid { stroke: #2b323b } .text { fill: #e6edf3 } .quiet { fill: #9aa6b2 }
    .line, .range { stroke: #58a6ff } .dot { fill: #58a6ff; stroke: #0d1117 }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif }
  .title { font-size: 15px; font-weight: 600 } .name { font-size: 13px; font-weight: 600 }
  .grid { stroke-width: 1 } .line { fill: none; stroke-width: 2; stroke-linejoin: round } .range { stroke-width: 1.5; opacity: .55 }
  .dot { stroke-width: 1.5 }
`;

/**
 * Draws the panels. Both axes are logarithmic, so that a factor of two is the same distance everywhere. All panels share one
 * y scale, so that a flat curve looks flat.
 */
export function toSvg(panels: readonly Panel[]): string {
  const y = logScale(
    panels.flatMap(({ marks }) => marks.flatMap(({ min, max }) => [min / 1.2, max * 1.2])),
    [PANEL.height - PANEL.bottom, PANEL.top],
  );
  const rows = Math.ceil(panels.length / COLUMNS);
  const width = Math.max(1, Math.min(COLUMNS, panels.length)) * PANEL.width;
  const height = HEADER + rows * PANEL.height;
  const drawn = panels.map((panel, i) => {
    const x = (i % COLUMNS) * PANEL.width;
    const top = HEADER + Math.floor(i / COLUMNS) * PANEL.height;
    return `<g transform="translate(${x} ${top})">${drawPanel(panel, y)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${TITLE}">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="text title" x="16" y="27">${TITLE}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, marks }: Panel, y: Scale): string {
  const x = logScale(
    marks.map((m) => m.x),
    [PANEL.left, PANEL.width - PANEL.right],
  );
  const gridY = ticks(y.from, y.to).map((value) => {
    const at = round(y.at(value));
    return `<line class="grid" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${at}" y2="${at}"/><text class="quiet" x="${PANEL.left - 6}" y="${at + 4}" text-anchor="end">${short(value)}</text>`;
  });
  const labelsX = labelled(marks, x.at).map(
    (m) =>
      `<text class="quiet" x="${round(x.at(m.x))}" y="${PANEL.height - PANEL.bottom + 18}" text-anchor="middle">${short(m.x)}</text>`,
  );
  const ranges = marks.map(
    (m) =>
      `<line class="range" x1="${round(x.at(m.x))}" x2="${round(x.at(m.x))}" y1="${round(y.at(m.min))}" y2="${round(y.at(m.max))}"/>`,
  );
  const line = marks
    .map((m, i) => `${i === 0 ? "M" : "L"}${round(x.at(m.x))} ${round(y.at(m.median))}`)
    .join("");
  const dots = marks.map(
    (m) =>
      `<circle class="dot" cx="${round(x.at(m.x))}" cy="${round(y.at(m.median))}" r="4"><title>${m.x.toLocaleString("en-US")} ${title}: ${short(m.median)} µs</title></circle>`,
  );
  // Only the first and the last value are labelled: the axis shows the others.
  const ends = [marks[0]!, marks.at(-1)!].map((m, i) => {
    const anchor = i === 0 ? "start" : "end";
    return `<text class="text" x="${round(x.at(m.x))}" y="${round(y.at(m.max)) - 9}" text-anchor="${anchor}">${short(m.median)}</text>`;
  });
  return [
    `<text class="text name" x="${PANEL.left}" y="20">${title}</text>`,
    ...gridY,
    ...labelsX,
    ...ranges,
    `<path class="line" d="${line}"/>`,
    ...dots,
    ...(marks.length > 1 ? ends : ends.slice(0, 1)),
  ].join("");
}

interface Scale {
  readonly from: number;
  readonly to: number;
  at(value: number): number;
}

function logScale(values: readonly number[], [begin, end]: readonly [number, number]): Scale {
  const from = Math.min(...values);
  const to = Math.max(...values);
  const span = Math.log(to / from);
  return {
    from,
    to,
    // A single value is centred.
    at: (value) => (span === 0 ? (begin + end) / 2 : begin + (Math.log(value / from) / span) * (end - begin)),
  };
}

/** Round values between two others: 1, 2, 5, 10 … or fewer over a wide range. */
export function ticks(from: number, to: number): number[] {
  const steps = to / from > 50 ? [1, 3] : to / from > 5 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= from && value <= to) all.push(value);
    }
  }
  return all;
}

/** The marks that get a label: the first, the last, and those between that do not overlap another label. */
function labelled(marks: readonly Mark[], at: (x: number) => number): Mark[] {
  const room = 34;
  const last = marks.at(-1)!;
  const kept: Mark[] = [];
  for (const mark of marks) {
    const before = kept.at(-1);
    if (before !== undefined && at(mark.x) - at(before.x) < room) continue;
    if (mark === last || at(last.x) - at(mark.x) >= room) kept.push(mark);
  }
  return kept;
}

/** Three digits: 0.123, 12.3, 1.2k. */
export function short(value: number): string {
  if (value >= 1000) return `${Number((value / 1000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
