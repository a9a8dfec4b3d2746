// What the documentation refers to: links, anchors, and the code spans and blocks that name files and commands.

export interface MarkdownReferences {
  /** Targets of links and images, as written. */
  readonly links: readonly string[];
  /** Anchors of the headings, without "#". */
  readonly anchors: ReadonlySet<string>;
  /** Inline code. */
  readonly codeSpans: readonly string[];
  /** Code blocks. */
  readonly codeBlocks: readonly string[];
}

/** Reads a Markdown text as GitHub does; headings have GitHub's anchors. */
export function readReferences(markdown: string): MarkdownReferences {
  const links: string[] = [];
  const headings: string[] = [];
  const codeSpans: string[] = [];
  const codeBlocks: string[] = [];
  Bun.markdown.render(markdown, {
    link: (text, { href }) => {
      links.push(href);
      return text;
    },
    image: (text, { src }) => {
      links.push(src);
      return text;
    },
    heading: (text) => {
      headings.push(text);
      return text;
    },
    codespan: (text) => {
      codeSpans.push(text);
      return text;
    },
    code: (text) => {
      codeBlocks.push(text);
      return text;
    },
  });
  return { links, anchors: toAnchors(headings), codeSpans, codeBlocks };
}

/** GitHub's anchors: lower case, punctuation dropped, a hyphen for each space, a number behind a repeated one. */
function toAnchors(headings: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const heading of headings) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Names of the scripts in `bun run NAME`; a NAME with a slash or a dot is a file's path. */
export function namedScripts(text: string): string[] {
  return [...text.matchAll(/\bbun(?:@[\d.]+)? run ([\w:./-]*[\w])/g)].map((match) => match[1]!);
}

/** A path such as `delivery/journal/recover.test.ts`, or a folder of the repository such as `packages/kafka`. */
export function isPath(codeSpan: string, topFolders: readonly string[]): boolean {
  if (/\.(ts|cjs|sh|ya?ml|md)$/.test(codeSpan)) return /^[\w@./-]+$/.test(codeSpan);
  return /^[\w./-]+$/.test(codeSpan) && topFolders.some((folder) => codeSpan.startsWith(`${folder}/`));
}

/** A setting or another environment variable: capitals with underscores. */
export function isEnvironmentName(codeSpan: string): boolean {
  return /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(codeSpan);
}
