// One variant of the service, as it is named on the command line.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "@ingest/cli-flags";
import type { ServerSpec } from "../kit/server-process.ts";
import { thisService } from "../kit/this-service.ts";

/**
 * Parses `label=folder,NAME=value,…`; everything after the label is optional.
 * @throws UsageError
 */
export function parseVariant(text: string): ServerSpec {
  const [, label, , differences] = /^([^=]*)(=(.*))?$/s.exec(text)!;
  const parts = differences ? differences.split(",") : [];
  const settings = parts.filter((part) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(part));
  const folders = parts.filter((part) => !settings.includes(part));
  if (label === "") throw new UsageError(`"${text}" has no label: write LABEL or LABEL=DIFFERENCE,…`);
  if (folders.length > 1) {
    throw new UsageError(
      `${label}: "${folders.join('" and "')}" can't both be the checkout; settings are NAME=value`,
    );
  }
  const service = thisService(folders[0]);
  if (!existsSync(join(service.cwd, "node_modules"))) {
    throw new UsageError(`${label}: ${service.cwd} is not a checkout with installed dependencies`);
  }
  const env = Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s, 2)));
  return { ...service, title: label!, env: { ...service.env, ...env } };
}
