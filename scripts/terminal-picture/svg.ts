// Rows over time → an animated SVG that needs no script. It begins with the end, which is all it shows without animation.
import type { RowText } from "./screen.ts";

export interface PictureOptions {
  readonly title: string;
  /** Width and height in characters; a longer row is cut, more rows scroll. */
  readonly columns: number;
  readonly rows: number;
  /** How long the end is shown, first and after each run, seconds. */
  readonly restSeconds: number;
}

const characterWidth = 7.8;
const rowHeight = 19;
const padding = 16;
const barHeight = 34;

export function toSvg(texts: readonly RowText[], options: PictureOptions): string {
  const { title, columns, rows, restSeconds } = options;
  const end = Math.max(...texts.map(({ from, until }) => until ?? from));
  const total = end + restSeconds;
  const percent = (at: number) => Number(((at / total) * 100).toFixed(3));
  const width = Math.ceil(columns * characterWidth + 2 * padding);
  const height = rows * rowHeight + barHeight + padding;

  const lastRow = Math.max(...texts.map(({ row }) => row));
  const keyframes: string[] = [];
  const lines = texts.map(({ row, from, until, text }, index) => {
    const hide = until === undefined ? "" : `${percent(until)}%{visibility:hidden}`;
    const wait = percent(from) > 0 ? "0%{visibility:hidden}" : "";
    keyframes.push(`@keyframes t${index}{${wait}${percent(from)}%{visibility:visible}${hide}}`);
    const cut = text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
    const kind = text.startsWith("── ") ? ` class="step"` : text.startsWith("$ ") ? ` class="prompt"` : "";
    const hidden = until === undefined ? "" : `;visibility:hidden`;
    return `<text${kind} y="${row * rowHeight}" style="animation-name:t${index}${hidden}">${escapeXml(cut)}</text>`;
  });

  const scroll = (row: number) => `transform:translateY(${-Math.max(0, row - rows + 1) * rowHeight}px)`;
  // Rows that come at once are one step.
  const scrolls = new Map([
    [0, 0],
    ...firstSeen(texts).map(({ row, from }) => [percent(from), row] as const),
  ]);
  const steps = [...scrolls].filter(([at, row]) => at === 0 || row >= rows);
  keyframes.push(`@keyframes scroll{${steps.map(([at, row]) => `${at}%{${scroll(row)}}`).join("")}}`);

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<title>${escapeXml(title)}</title>
<style>
text{fill:#e6edf3;font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.step{fill:#79c0ff;font-weight:600}.prompt{fill:#7ee787}
#rows text,#rows{animation:${total.toFixed(2)}s step-end ${(-end).toFixed(2)}s infinite}
#rows{animation-name:scroll;${scroll(lastRow)}}
@media (prefers-reduced-motion:reduce){#rows,#rows text{animation:none}}
${keyframes.join("\n")}
</style>
<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f57"/><circle cx="38" cy="18" r="5.5" fill="#febc2e"/><circle cx="56" cy="18" r="5.5" fill="#28c840"/>
<clipPath id="screen"><rect x="${padding}" y="${barHeight}" width="${width - 2 * padding}" height="${rows * rowHeight}"/></clipPath>
<g clip-path="url(#screen)"><g transform="translate(${padding} ${barHeight + 14})"><g id="rows">
${lines.join("\n")}
</g></g></g>
</svg>
`;
}

/** When each row first had a text, in that order; rows never go back up. */
function firstSeen(texts: readonly RowText[]): { row: number; from: number }[] {
  const seen = new Map<number, number>();
  for (const { row, from } of texts) if (!seen.has(row)) seen.set(row, from);
  return [...seen].map(([row, from]) => ({ row, from }));
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
