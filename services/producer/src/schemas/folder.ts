// Reads the JSON Schemas of a folder.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "../text-file.ts";
import { isSchemaFile, toSchemaName } from "./file-name.ts";
import {
  BASE_URI,
  type JsonSchema,
  type SchemaDocument,
  SchemaError,
  type SchemaName,
  type SchemaProblem,
} from "./schema-document.ts";

/**
 * Reads all schema files of a folder.
 * @throws SchemaError naming every file that is not JSON, or whose name means nothing or the same as another's
 */
export function readSchemaFolder(folder: string): SchemaDocument[] {
  const problems: SchemaProblem[] = [];
  const documents: SchemaDocument[] = [];
  const sourceByName = new Map<string, string>();
  for (const source of filesOf(folder)) {
    const document = readSchema(folder, source);
    if (typeof document === "string") {
      problems.push({ source, pointer: "", message: document });
      continue;
    }
    documents.push(document);
    if (document.name === undefined) continue;
    const key = keyOf(document.name);
    const other = sourceByName.get(key);
    if (other === undefined) sourceByName.set(key, source);
    else
      problems.push({ source, pointer: "", message: `is the same type and version as ${other}: remove one` });
  }
  if (problems.length > 0) throw new SchemaError(problems);
  return documents;
}

/** The schema files of a folder, sorted. @throws SchemaError when it cannot be read */
function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).filter(isSchemaFile).sort();
  } catch (error) {
    throw new SchemaError([{ source: folder, pointer: "", message: (error as Error).message }]);
  }
}

function readSchema(folder: string, file: string): SchemaDocument | string {
  const name = toSchemaName(file);
  if (typeof name === "string") return name;
  try {
    const schema = JSON.parse(readTextFile(join(folder, file))) as JsonSchema;
    return { source: file, uri: BASE_URI + encodeURIComponent(file), schema, name, describes: "payload" };
  } catch (error) {
    return (error as Error).message;
  }
}

const keyOf = ({ type, version }: SchemaName) => `${version} ${type}`;
