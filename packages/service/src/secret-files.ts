// NAME_FILE: the value of a secret setting as the contents of a file, which is how Docker and Kubernetes hand secrets over.
import { readFileSync, statSync } from "node:fs";
import type { Env, SettingProblem } from "./environment.ts";
import { isSecretSetting } from "./secret-settings.ts";

const SUFFIX = "_FILE";
/** Far above any password or private key. */
const MAX_BYTES = 64 * 1024;

/** Can a setting's value come from a file? URLs can too: they may hold a user name and password. */
export function takesFile(name: string): boolean {
  return isSecretSetting(name) || name.endsWith("_URL");
}

/** The name of the variable that holds the path of a setting's file. */
export function toFileName(name: string): string {
  return name + SUFFIX;
}

/** The names of the variables that hold paths of files, for those of the settings that take one. */
export function fileNames(names: Iterable<string>): string[] {
  return [...names].filter(takesFile).map(toFileName);
}

export interface SecretFiles {
  /** The environment with each file's contents as the value of its setting. */
  env: Env;
  problems: SettingProblem[];
}

/**
 * Reads the files that NAME_FILE variables name.
 * @param names the settings; of those that take no file, NAME_FILE is another program's variable
 */
export function readSecretFiles(env: Env, names: Iterable<string>): SecretFiles {
  const resolved: Record<string, string | undefined> = { ...env };
  const problems: SettingProblem[] = [];
  for (const name of names) {
    const path = takesFile(name) ? env[toFileName(name)] : undefined;
    if (path === undefined || path === "") continue;
    delete resolved[toFileName(name)];
    const contents = env[name] ? { problem: `must not be set together with ${name}` } : readText(path);
    if (typeof contents === "string") resolved[name] = contents;
    else problems.push({ name: toFileName(name), value: shownPath(path), message: contents.problem });
  }
  return { env: resolved, problems };
}

/** @returns the contents without the line break at the end */
function readText(path: string): string | { problem: string } {
  try {
    const stat = statSync(path);
    // Reading a pipe would wait for its writer.
    if (!stat.isFile()) return { problem: "must be the path of a regular file" };
    if (stat.size > MAX_BYTES) return { problem: `must be the path of a file of at most ${MAX_BYTES} bytes` };
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)).replace(/\r?\n$/, "");
    return text === "" ? { problem: "is the path of an empty file" } : text;
  } catch (error) {
    // What the decoder throws is a TypeError.
    if (error instanceof TypeError) return { problem: "must be the path of a file of UTF-8 text" };
    return { problem: `must be the path of a readable file (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** Somebody may have given the secret instead of a path. */
function shownPath(path: string): string | undefined {
  return /^\.{0,2}\//.test(path) ? path : undefined;
}
