// The command as a shell sees it: output, files, exit codes, signals.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import type { Report } from "./report/schema.ts";

const { path: folder, [Symbol.dispose]: removeFolder } = temporaryFolder("bench");
afterAll(removeFolder);

function bench(...argv: string[]) {
  return Bun.spawn([process.execPath, new URL("main.ts", import.meta.url).pathname, ...argv], {
    stdout: "pipe",
    stderr: "pipe",
    // Nothing of the machine's own Kafka settings.
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
}

async function outcome(child: ReturnType<typeof bench>) {
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

function serve() {
  const seen = { requests: 0 };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      seen.requests++;
      const { event_id } = (await request.json()) as { event_id: string };
      return Response.json({ status: "accepted", event_id }, { status: 202 });
    },
  });
  return { seen, url: server.url.href, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a run prints its report and writes it as JSON", async () => {
  await using service = serve();
  const file = join(folder, "report.json");
  const { stdout, stderr, code } = await outcome(
    bench("--url", service.url, "--requests", "1000", "--json", file),
  );
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^requests\/s \(RPS\) +[\d,]+$/m);
  expect(stdout).toMatch(/^accepted +1,000$/m);
  expect(((await Bun.file(file).json()) as Report).events.accepted).toBe(1000);
}, 20_000);

test("exit codes: --help 0, an invalid flag 2, nothing listening 3, an unwritable file 1", async () => {
  const help = await outcome(bench("--help"));
  expect([help.code, help.stderr]).toEqual([0, ""]);
  expect(help.stdout).toContain("--concurrency N");

  const usage = await outcome(bench("--concurency", "5"));
  expect([usage.code, usage.stdout]).toEqual([2, ""]);
  expect(usage.stderr).toContain("--concurency is not a flag");

  const nobody = await outcome(bench("--url", "http://127.0.0.1:1"));
  expect([nobody.code, nobody.stdout]).toEqual([3, ""]);
  expect(nobody.stderr).toContain("Nothing listens at http://127.0.0.1:1/");

  await using service = serve();
  await Bun.write(join(folder, "file"), "");
  const file = join(folder, "file", "report.json");
  const unwritten = await outcome(bench("--url", service.url, "--requests", "1", "--json", file));
  expect(unwritten.code).toBe(1);
  expect(unwritten.stderr).toStartWith("--json: the report can't be written");
  expect(unwritten.stdout).toContain("accepted");
}, 30_000);

test("Ctrl-C stops sending and reports what was done", async () => {
  await using service = serve();
  const file = join(folder, "interrupted.json");
  const child = bench("--url", service.url, "--duration", "60s", "--concurrency", "2", "--json", file);
  await until("ten requests", () => service.seen.requests >= 10, 10_000);
  child.kill("SIGINT");
  const { stdout, code } = await outcome(child);
  expect(stdout).toStartWith("Interrupted after");
  const report = (await Bun.file(file).json()) as Report;
  expect(code).toBe(0);
  expect(report.interrupted).toBe(true);
  expect(report.requests.completed).toBe(service.seen.requests);
}, 30_000);
