// Settings as Markdown: the documentation is made from what the code reads.
import type { TSchema } from "@sinclair/typebox";

/** One table, a line a setting: any map of TypeBox properties with descriptions. */
export function settingsTable(rows: Readonly<Record<string, TSchema>>): string[] {
  const namesProperty = Object.values(rows).some((row) => typeof row.librdkafka === "string");
  const head = ["name", ...(namesProperty ? ["librdkafka"] : []), "takes", "default", "why"];
  return [
    head,
    head.map(() => "---"),
    ...Object.entries(rows).map(([name, row]) => [
      code(name),
      ...(namesProperty ? [typeof row.librdkafka === "string" ? code(row.librdkafka) : ""] : []),
      takes(row),
      row.default === undefined ? "" : code(String(row.default)),
      row.description ?? "",
    ]),
  ].map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
}

function takes(row: TSchema): string {
  if (row.anyOf) return (row.anyOf as TSchema[]).map(takes).join(", ");
  if (row.const !== undefined) return code(String(row.const));
  if (row.type === "integer") return range(row);
  if (row.type === "boolean") return "`true`, `false`";
  return row.isSecret ? "secret text" : "text";
}

function range({ minimum, maximum }: TSchema): string {
  const words = (bound: unknown) => (typeof bound === "number" ? bound.toLocaleString("en") : "");
  return maximum === undefined ? `from ${words(minimum)}` : `${words(minimum)} … ${words(maximum)}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
