// node:http as the reference, in a process of Node.
import { join } from "node:path";
import type { AcceptedRequest } from "./outcome.ts";

export interface NodeOutcome {
  readonly requests: readonly AcceptedRequest[];
  /** The code of the error that ended the stream, such as `HPE_INVALID_METHOD`. */
  readonly error?: string;
}

export class NodeServer implements Disposable {
  readonly #process = Bun.spawn(["node", join(import.meta.dir, "node-server.cjs")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  readonly #lines = readLines(this.#process.stdout);

  async read(streams: readonly Buffer[]): Promise<readonly NodeOutcome[]> {
    this.#process.stdin.write(`${JSON.stringify(streams.map((stream) => stream.toString("base64")))}\n`);
    await this.#process.stdin.flush();
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`node ended with exit code ${await this.#process.exited}`);
    return JSON.parse(value) as readonly NodeOutcome[];
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const chunk of stream) {
    let text = decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield pieces.join("") + text.slice(0, end);
      pieces = [];
      text = text.slice(end + 1);
    }
    pieces.push(text);
  }
  return undefined;
}
