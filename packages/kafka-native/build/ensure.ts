// Builds the addon if needed, and puts it where Confluent's JavaScript looks for it.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type AddonBuild, addonKey, buildAddon, type Manifest } from "./addon.ts";
import type { Env } from "./command.ts";
import { buildFailedMessage, missingToolsMessage } from "./messages.ts";
import { addonDir, addonPath, cacheDir, manifestPath } from "./paths.ts";
import type { Progress } from "./progress.ts";
import { findToolchain } from "./toolchain.ts";

export type Outcome =
  | { status: "ready"; manifest: Manifest; isNew: boolean }
  | { status: "missing-tools"; message: string }
  | { status: "failed"; message: string };

/** The manifest of the installed addon, if there is one that this build put there. */
export function installedManifest(): Manifest | undefined {
  if (!existsSync(addonPath)) return undefined;
  try {
    return JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** Installs the addon by renames, so that a process that loads it gets either the old or the new one. */
function place({ path, manifest }: AddonBuild): void {
  mkdirSync(addonDir, { recursive: true });
  const temporary = join(addonDir, `.${process.pid}.tmp`);
  try {
    copyFileSync(path, temporary);
    renameSync(temporary, addonPath);
    writeFileSync(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
    renameSync(temporary, manifestPath);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Makes sure that the addon is in place and built from the present inputs. Never throws for a machine that lacks
 * tools or for a failed build: those are outcomes, with a message for people.
 */
export async function ensureAddon(env: Env, progress: Progress): Promise<Outcome> {
  const installed = installedManifest();
  const probe = await findToolchain(env);
  if ("missing" in probe) {
    // Without a compiler the inputs can't be compared: use the installed addon (images have a copied one).
    if (installed !== undefined) return { status: "ready", manifest: installed, isNew: false };
    return { status: "missing-tools", message: missingToolsMessage(probe.missing) };
  }
  const toolchain = probe.found;
  const isStatic = env.KAFKA_NATIVE_STATIC === "1";
  const key = await addonKey({ toolchain, isStatic });
  if (installed?.key === key) return { status: "ready", manifest: installed, isNew: false };

  const cacheRoot = cacheDir(env);
  const logFile = join(cacheRoot, "logs", `${key}.log`);
  mkdirSync(join(cacheRoot, "logs"), { recursive: true });
  writeFileSync(logFile, "");
  try {
    const built = await buildAddon({ toolchain, isStatic, cacheRoot, logFile, progress, env });
    place(built);
    return { status: "ready", manifest: built.manifest, isNew: true };
  } catch (error) {
    return { status: "failed", message: buildFailedMessage(error, logFile) };
  }
}
