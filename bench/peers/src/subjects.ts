// What is measured: this service in its variants, and the peers, each with how it is built and started.
import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findNode, nanAddon } from "../../native/src/nan-addon.ts";
import { InstallError, install, type Recipe } from "./install.ts";

/** The repository's root. */
export const root = join(import.meta.dir, "../../..");

export interface Subject {
  readonly name: SubjectName;
  readonly title: string;
  /** The command, ready to be run, and what of it the report should say. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Versions and choices, for the report. */
  readonly notes: string;
  /** This project's service: its refusals must have the very status of the contract. */
  readonly isOurs: boolean;
  /** Runs on two cores: with two workers, and with one to compare them with. */
  readonly hasTwoCores: boolean;
}

export const subjectNames = [
  "ingest",
  "ingest-on-2-cores",
  "ingest-2-workers",
  "rust-axum",
  "fastify",
  "fastapi",
] as const;
export type SubjectName = (typeof subjectNames)[number];

/** Where a shared library of mimalloc may be: Debian, Fedora, a build of one's own. */
const MIMALLOC_PLACES = [
  "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2",
  "/usr/lib/aarch64-linux-gnu/libmimalloc.so.2",
  "/usr/lib64/libmimalloc.so.2",
  "/usr/local/lib/libmimalloc.so",
];

/** The allocator that the peers on Node and Python are run with, as Rust's has it built in; undefined when there is none here. */
export function findMimalloc(): string | undefined {
  return MIMALLOC_PLACES.find((place) => existsSync(place));
}

export interface SubjectContext {
  /** A shared library for LD_PRELOAD. */
  readonly preload: string | undefined;
  readonly say: (message: string) => void;
}

/**
 * Installs a subject on this machine.
 * @throws InstallError when it can't be had here
 */
export async function prepareSubject(name: SubjectName, context: SubjectContext): Promise<Subject> {
  const preloaded: Record<string, string> = context.preload ? { LD_PRELOAD: context.preload } : {};
  switch (name) {
    case "ingest":
      return service({ name, title: "this service" }, 1);
    case "ingest-on-2-cores":
      return service({ name, title: "this service, WORKERS=1 where two would be" }, 1);
    case "ingest-2-workers":
      return service({ name, title: "this service, WORKERS=2" }, 2);
    case "rust-axum":
      return await rust(context);
    case "fastify":
      return await fastify(context, preloaded);
    case "fastapi":
      return await fastapi(context, preloaded);
  }
}

/** Without an allocator preloaded: Bun has its own, and another gives nothing. */
function service(called: Pick<Subject, "name" | "title">, workers: number): Subject {
  return {
    ...called,
    command: [process.execPath, join(root, "services/producer/src/main.ts")],
    cwd: root,
    env: { WORKERS: String(workers), LOG_LEVEL: "warn", LOG_FORMAT: "json" },
    notes: `Bun ${Bun.version} with its own allocator, Elysia, Confluent's client over Node-API`,
    isOurs: true,
    hasTwoCores: called.name !== "ingest",
  };
}

function peer(subject: Omit<Subject, "isOurs" | "hasTwoCores">): Subject {
  return { ...subject, isOurs: false, hasTwoCores: false };
}

function versionOf(command: readonly string[], needs: string): string {
  if (Bun.which(command[0]!) === null) throw new InstallError(`${command[0]} is not on PATH: ${needs}`);
  return Bun.spawnSync([...command])
    .stdout.toString()
    .trim();
}

async function rust({ say }: SubjectContext): Promise<Subject> {
  const needs = "Rust (rustup.rs) builds this peer";
  const version = versionOf(["rustc", "--version"], needs);
  const recipe: Recipe = {
    folder: "rust-axum",
    facts: [version],
    build: (_, run) => run(["nice", "cargo", "build", "--release", "--quiet"], needs),
  };
  const dir = await install(recipe, say);
  return peer({
    name: "rust-axum",
    title: "Rust axum + rdkafka",
    command: [join(dir, "target/release/rust-axum")],
    cwd: dir,
    env: {},
    notes: `${version.split(" (")[0]}, release, fat LTO, mimalloc built in`,
  });
}

async function fastify({ say }: SubjectContext, preloaded: Record<string, string>): Promise<Subject> {
  const node = findNode();
  if (node === undefined) throw new InstallError("node is not on PATH: this peer runs on Node 20 or later");
  const nan = await nanAddon(node);
  const ours = join(
    root,
    "node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node",
  );
  const addon = "path" in nan ? nan.path : ours;
  const recipe: Recipe = {
    folder: "fastify",
    facts: [node.version, addon, String(Bun.file(addon).lastModified)],
    async build(dir, run) {
      // The client's install script would download a prebuilt addon: it gets one that was built here.
      const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"];
      await run(["npm", "ci", ...flags], "npm, which comes with Node, installs this peer");
      const place = join(
        dir,
        "node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node",
      );
      await mkdir(dirname(place), { recursive: true });
      await copyFile(addon, place);
    },
  };
  const dir = await install(recipe, say);
  return peer({
    name: "fastify",
    title: "Fastify + Confluent's client",
    command: [node.command, "main.js"],
    cwd: dir,
    env: preloaded,
    notes: `Node ${node.version}, ${"path" in nan ? "addon built with NAN" : `this project's addon (${nan.missing})`}`,
  });
}

async function fastapi({ say }: SubjectContext, preloaded: Record<string, string>): Promise<Subject> {
  const needs = "Python 3.11 or later runs this peer";
  const version = versionOf(["python3", "--version"], needs);
  const recipe: Recipe = {
    folder: "fastapi",
    facts: [version],
    async build(_, run) {
      await run(["python3", "-m", "venv", "venv"], needs);
      await run(["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"], needs);
    },
  };
  const dir = await install(recipe, say);
  return peer({
    name: "fastapi",
    title: "FastAPI + aiokafka",
    command: [join(dir, "venv/bin/python"), "main.py"],
    cwd: dir,
    env: preloaded,
    notes: `${version}, uvicorn with uvloop and httptools, pydantic`,
  });
}
