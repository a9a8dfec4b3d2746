// ROUTES_FILE, read from the disk.
import type { Log } from "@ingest/service";
import { readSettingsFile } from "../file-problems.ts";
import { FileReloader } from "../file-reloader.ts";
import { parseRoutes } from "./parse-file.ts";
import type { Routes } from "./route-table.ts";
import type { RouteSettings } from "./settings.ts";

/**
 * @returns undefined when ROUTES_FILE is not set
 * @throws SettingsError naming every problem of the file
 */
export function readRoutes({ ROUTES_FILE: path }: RouteSettings): Routes | undefined {
  return readSettingsFile("ROUTES_FILE", path, parseRoutes);
}

/** @param settings with ROUTES_FILE */
export function createRoutesReloader(
  settings: RouteSettings,
  { text }: Routes,
  log: Log,
  use: (routes: Routes) => void,
): FileReloader<Routes> {
  return new FileReloader({
    subject: "routes",
    path: settings.ROUTES_FILE!,
    text,
    parse: parseRoutes,
    replace(routes) {
      use(routes);
      return { routes: routes.entries.length };
    },
    log,
  });
}
