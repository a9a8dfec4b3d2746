import { expect, test } from "bun:test";

// Fault: it connected, and looked for a topic that can't exist.
test("an invalid topic is refused before anything is connected", async () => {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/replay.ts`, "--topic", ".."], {
    env: { ...process.env, LOG_FORMAT: "pretty" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await child.stdout.text()) + (await child.stderr.text());
  expect(output).toContain("KAFKA_TOPIC");
  expect(output).toContain('".."');
  expect(await child.exited).not.toBe(0);
  expect(output).not.toContain("No broker responded");
});
