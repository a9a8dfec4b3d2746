// What `docker build` sees of the repository: .dockerignore and Dockerfile, read without an engine.
import { join } from "node:path";

export const root = join(import.meta.dir, "../..");

const text = (file: string) => Bun.file(join(root, file)).text();

/**
 * Files of the repository that are sent to the builder. The last pattern that matches a file or one of its folders
 * decides (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 */
export async function buildContext(): Promise<string[]> {
  const rules = toRules(await text(".dockerignore"));
  const listing = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  const files = listing.stdout.toString().trim().split("\n");
  const present = await Promise.all(files.map((file) => Bun.file(join(root, file)).exists()));
  return files.filter((file, index) => present[index] && isIncluded(file, rules));
}

interface Rule {
  glob: Bun.Glob;
  /** True for a pattern that begins with `!`. */
  includes: boolean;
}

export function toRules(dockerignore: string): Rule[] {
  return dockerignore
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ includes: line.startsWith("!"), glob: new Bun.Glob(line.replace(/^!/, "")) }));
}

export function isIncluded(file: string, rules: readonly Rule[]): boolean {
  const parts = file.split("/");
  const fileAndFolders = parts.map((_, depth) => parts.slice(0, depth + 1).join("/"));
  const last = rules.findLast(({ glob }) => fileAndFolders.some((path) => glob.match(path)));
  return last?.includes ?? true;
}

/** The sources of the Dockerfile's COPY instructions that read the build context, each with its stage. */
export async function contextCopies(): Promise<{ stage: string; source: string }[]> {
  let stage = "";
  const copies: { stage: string; source: string }[] = [];
  for (const line of (await text("Dockerfile")).replaceAll("\\\n", " ").split("\n")) {
    stage = /^FROM .* AS (\S+)/.exec(line)?.[1] ?? stage;
    const [instruction, ...args] = line.trim().split(/\s+/);
    if (instruction !== "COPY" || args.some((arg) => arg.startsWith("--from"))) continue;
    for (const source of args.slice(0, -1)) copies.push({ stage, source });
  }
  return copies;
}

/** Folders of all workspaces, from the root. */
export async function workspaceFolders(): Promise<string[]> {
  const { workspaces } = JSON.parse(await text("package.json")) as { workspaces: string[] };
  return workspaces
    .flatMap((pattern) => [...new Bun.Glob(`${pattern}/package.json`).scanSync({ cwd: root })])
    .map((file) => file.slice(0, -"/package.json".length))
    .sort();
}
