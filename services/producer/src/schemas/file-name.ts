// A schema's file name states the event type and the version: `order.created.json`, `order.created@2.json`.
import type { SchemaName } from "./schema-document.ts";

const EXTENSION = ".json";

/** Is it a schema's file? Files with a leading dot are those of editors and of Kubernetes' mounts. */
export function isSchemaFile(file: string): boolean {
  return file.endsWith(EXTENSION) && !file.startsWith(".");
}

/**
 * A file that begins with `_` only serves references, and has no name. Characters that file names cannot have are
 * percent-encoded. A file without a version has version 1.
 * @returns the reason, when the file's name means nothing
 */
export function toSchemaName(file: string): SchemaName | undefined | string {
  if (file.startsWith("_")) return undefined;
  const stem = file.slice(0, -EXTENSION.length);
  const [, encodedType = "", versionText = "1"] = /^(.*?)(?:@(\d+))?$/s.exec(stem) ?? [];
  const version = Number(versionText);
  if (!Number.isSafeInteger(version) || version < 1)
    return `the version is "${versionText}": use @1 or above`;
  let type: string;
  try {
    type = decodeURIComponent(encodedType);
  } catch {
    return "the name is not percent-encoded UTF-8: write %25 for a percent sign";
  }
  if (type.length === 0)
    return "the name holds no event type: name the file after one, as order.created@2.json";
  return { type, version };
}
