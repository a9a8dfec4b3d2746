// ROUTES_FILE, parsed: the routes, or every problem of the file.
import { type FileProblem, FileProblems, parseJsonFile } from "../file-problems.ts";
import { RoutesFile } from "./file-schema.ts";
import { Routes } from "./route-table.ts";

/** @returns the routes, or every problem of the file */
export function parseRoutes(text: string): Routes | FileProblems {
  const file = parseJsonFile(RoutesFile, text);
  if (file instanceof FileProblems) return file;
  const problems: FileProblem[] = [];
  const places = new Map<string, string>();
  const claim = (kind: string, name: string, pointer: string, remedy: string) => {
    const earlier = places.get(kind + name);
    if (earlier === undefined) places.set(kind + name, pointer);
    else problems.push({ pointer, message: `is the same as ${earlier}: ${remedy}` });
  };
  for (const [index, { topic, event_types: types }] of file.routes.entries()) {
    const place = `/routes/${index}`;
    claim("topic ", topic, `${place}/topic`, "list all its event types there");
    for (const [n, type] of types.entries())
      claim("type ", type, `${place}/event_types/${n}`, "a type goes to one topic");
  }
  return problems.length > 0 ? new FileProblems(problems) : new Routes(file.routes, text);
}
