// Settings as a Markdown table.
import type { TSchema } from "@sinclair/typebox";
import { takesFile, toFileName } from "./secret-files.ts";
import { isSecretSetting } from "./secret-settings.ts";

/** One row per setting, of any map of TypeBox properties with descriptions. */
export function settingsTable(rows: Readonly<Record<string, TSchema>>): string[] {
  const namesProperty = Object.values(rows).some((row) => typeof row.librdkafka === "string");
  const head = ["name", ...(namesProperty ? ["librdkafka"] : []), "values", "default", "description"];
  return [
    head,
    head.map(() => "---"),
    ...Object.entries(rows).map(([name, row]) => [
      code(name),
      ...(namesProperty ? [typeof row.librdkafka === "string" ? code(row.librdkafka) : ""] : []),
      takes(name, row),
      String(row.default ?? "") === "" ? "" : code(String(row.default)),
      row.description ?? "",
    ]),
  ].map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
}

function takes(name: string, row: TSchema): string {
  if (row.anyOf) return (row.anyOf as TSchema[]).map((option) => takes(name, option)).join(", ");
  if (row.const !== undefined) return code(String(row.const));
  if (row.type === "integer" || row.type === "number") return range(row);
  if (row.type === "boolean") return "`true`, `false`";
  if (row.type === "array") return "list";
  const text = isSecretSetting(name) ? "secret text" : "text";
  return takesFile(name) ? `${text}, or ${code(toFileName(name))}` : text;
}

function range({ minimum, maximum }: TSchema): string {
  const words = (bound: unknown) => (typeof bound === "number" ? bound.toLocaleString("en") : "");
  return maximum === undefined ? `from ${words(minimum)}` : `${words(minimum)} … ${words(maximum)}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
