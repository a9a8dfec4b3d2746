// The servers that are compared: this service in three set-ups, and three others, each with its build and its start.
import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findNode, nanAddon } from "../kit/nan-addon.ts";
import { root } from "../kit/paths.ts";
import type { ServerSpec } from "../kit/server-process.ts";
import { thisService } from "../kit/this-service.ts";
import { InstallError, install, type Recipe } from "./install.ts";

export const serverNames = [
  "ingest",
  "ingest-on-2-cores",
  "ingest-2-workers",
  "rust-axum",
  "fastify",
  "fastapi",
] as const;
export type ServerName = (typeof serverNames)[number];

/** A server that is ready to start. */
export interface ComparedServer extends ServerSpec {
  readonly name: ServerName;
  /** Versions and choices, for the report. */
  readonly notes: string;
}

/** Where distributions put mimalloc's shared library: Debian, Fedora, a local build. */
const MIMALLOC_PATHS = [
  "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2",
  "/usr/lib/aarch64-linux-gnu/libmimalloc.so.2",
  "/usr/lib64/libmimalloc.so.2",
  "/usr/local/lib/libmimalloc.so",
];

/** Rust's peer has mimalloc built in; the peers on Node and Python get it preloaded where it is installed. */
export function findMimalloc(): string | undefined {
  return MIMALLOC_PATHS.find((path) => existsSync(path));
}

export interface InstallContext {
  /** A shared library for LD_PRELOAD. */
  readonly preload: string | undefined;
  readonly log: (message: string) => void;
}

/**
 * Builds a server, or takes it from the cache.
 * @throws InstallError when this machine lacks what the server needs
 */
export async function installServer(name: ServerName, context: InstallContext): Promise<ComparedServer> {
  const preloaded: Record<string, string> = context.preload ? { LD_PRELOAD: context.preload } : {};
  switch (name) {
    case "ingest":
      return ours(name, "this service");
    case "ingest-on-2-cores":
      return { ...ours(name, "this service, WORKERS=1 on two cores"), hasTwoCores: true };
    case "ingest-2-workers": {
      const server = ours(name, "this service, WORKERS=2");
      return { ...server, hasTwoCores: true, env: { ...server.env, WORKERS: "2" } };
    }
    case "rust-axum":
      return await rust(context);
    case "fastify":
      return await fastify(context, preloaded);
    case "fastapi":
      return await fastapi(context, preloaded);
  }
}

function ours(name: ServerName, title: string): ComparedServer {
  const notes = `Bun ${Bun.version} with its own allocator, Elysia, Confluent's client over Node-API`;
  return { ...thisService(), name, title, notes };
}

function peer(server: Omit<ComparedServer, "isOurs" | "hasTwoCores">): ComparedServer {
  return { ...server, isOurs: false, hasTwoCores: false };
}

function versionOf(command: readonly string[], requirement: string): string {
  if (Bun.which(command[0]!) === null) throw new InstallError(`${command[0]} is not on PATH: ${requirement}`);
  return Bun.spawnSync([...command])
    .stdout.toString()
    .trim();
}

async function rust({ log }: InstallContext): Promise<ComparedServer> {
  const requirement = "Rust (rustup.rs) builds this peer";
  const version = versionOf(["rustc", "--version"], requirement);
  const recipe: Recipe = {
    folder: "rust-axum",
    cacheKeys: [version],
    build: (_, run) => run(["nice", "cargo", "build", "--release", "--quiet"], requirement),
  };
  const dir = await install(recipe, log);
  return peer({
    name: "rust-axum",
    title: "Rust axum + rdkafka",
    command: [join(dir, "target/release/rust-axum")],
    cwd: dir,
    env: {},
    notes: `${version.split(" (")[0]}, release, fat LTO, mimalloc built in`,
  });
}

async function fastify({ log }: InstallContext, preloaded: Record<string, string>): Promise<ComparedServer> {
  const node = findNode();
  if (node === undefined) throw new InstallError("node is not on PATH: this peer runs on Node 20 or later");
  const addonPath = "@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node";
  const nan = await nanAddon(node);
  const addon = "path" in nan ? nan.path : join(root, "node_modules", addonPath);
  const recipe: Recipe = {
    folder: "fastify",
    cacheKeys: [node.version, addon, String(Bun.file(addon).lastModified)],
    async build(dir, run) {
      // The client's install script would download a prebuilt addon: this one was built on this machine.
      const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"];
      await run(["npm", "ci", ...flags], "npm, which comes with Node, installs this peer");
      const target = join(dir, "node_modules", addonPath);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(addon, target);
    },
  };
  const dir = await install(recipe, log);
  return peer({
    name: "fastify",
    title: "Fastify + Confluent's client",
    command: [node.command, "main.js"],
    cwd: dir,
    env: preloaded,
    notes: `Node ${node.version}, ${"path" in nan ? "addon built with NAN" : `this project's addon (${nan.missing})`}`,
  });
}

async function fastapi({ log }: InstallContext, preloaded: Record<string, string>): Promise<ComparedServer> {
  const requirement = "Python 3.11 or later runs this peer";
  const version = versionOf(["python3", "--version"], requirement);
  const recipe: Recipe = {
    folder: "fastapi",
    cacheKeys: [version],
    async build(_, run) {
      await run(["python3", "-m", "venv", "venv"], requirement);
      await run(["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"], requirement);
    },
  };
  const dir = await install(recipe, log);
  return peer({
    name: "fastapi",
    title: "FastAPI + aiokafka",
    command: [join(dir, "venv/bin/python"), "main.py"],
    cwd: dir,
    env: preloaded,
    notes: `${version}, uvicorn with uvloop and httptools, pydantic`,
  });
}
