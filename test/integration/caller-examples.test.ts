// The examples of docs/callers.md for programs, each run as it is printed there, with this run's key and port.
import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";

/** Go compiles its net/http when its cache is empty. */
const TIMEOUT_MS = 300_000;
const KEY = "ingest_of_the_examples";
const root = join(import.meta.dir, "../..");
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** The last block of a language in the section about programs. */
function exampleIn(language: string): string {
  const page = readFileSync(join(root, "docs/callers.md"), "utf8");
  const section = page.slice(page.indexOf("## From a program"), page.indexOf("## The file"));
  const blocks = [...section.matchAll(/```(\w+)\n([\s\S]*?)\n```/g)].filter(([, name]) => name === language);
  return blocks.at(-1)![2]!;
}

const examples: [language: string, file: string, command: string[]][] = [
  ["sh", "send.sh", ["sh"]],
  ["ts", "send.ts", [process.execPath]],
  ["python", "send.py", ["python3"]],
  ["go", "send.go", ["go", "run"]],
];

for (const [language, file, command] of examples)
  test.skipIf(Bun.which(command[0]!) === null)(
    `the example in ${language} sends its event with a key, and fails to without`,
    async () => {
      using folder = temporaryFolder("example");
      symlinkSync(join(root, "node_modules"), join(folder.path, "node_modules"));
      const CALLERS_FILE = join(folder.path, "callers.json");
      const sha256 = createHash("sha256").update(KEY).digest("hex");
      const caller = { id: "shop", keys: [{ sha256 }], event_types: ["order.*"] };
      writeFileSync(CALLERS_FILE, JSON.stringify({ callers: [caller] }));
      const topic = kafka.topicName();
      await using service = await startProducer({
        env: { ...kafka.env, KAFKA_TOPIC: topic, DEFAULT_DURABILITY: "stored", CALLERS_FILE },
      });
      const example = exampleIn(language);
      expect(example).toContain("localhost:3000");
      writeFileSync(join(folder.path, file), example.replaceAll("localhost:3000", new URL(service.url).host));
      const send = async (key: string) => {
        const child = Bun.spawn([...command, file], {
          cwd: folder.path,
          env: { ...process.env, INGEST_KEY: key },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
        // curl exits with 0 for any response, which it prints.
        return { isSent: (await child.exited) === 0 && !output.includes("HTTP/1.1 401"), output, errors };
      };
      expect(await send("another key")).toMatchObject({ isSent: false });
      expect(await send(KEY)).toMatchObject({ isSent: true });
      const records = await kafka.read(topic);
      expect(records.map(({ key, value }) => [key?.toString(), JSON.parse(value!.toString())])).toEqual([
        ["user-42", expect.objectContaining({ event_type: "order.created", payload: { total: 12 } })],
      ]);
    },
    TIMEOUT_MS,
  );
