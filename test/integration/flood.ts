// Good callers beside a flood of others.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

const GOOD_CALLERS = 20;
const EVENT = '{"event_type":"flood"}';

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kib) * 1024;
}

/**
 * Sends one event after the other on each of 20 connections.
 * @param fields of each request, with their CR LF
 * @returns the responses' times until `stop`, ms
 */
export function callWell(port: number, fields = "") {
  const request = `POST /register_event HTTP/1.1\r\nHost: test\r\n${fields}Content-Length: ${EVENT.length}\r\n\r\n${EVENT}`;
  const timesMs: number[] = [];
  const failures: string[] = [];
  let isStopped = false;
  const sockets = Array.from({ length: GOOD_CALLERS }, () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentMs = 0;
    const send = () => {
      sentMs = performance.now();
      socket.write(request);
    };
    socket.on("connect", send);
    socket.on("error", (error) => failures.push(String(error)));
    socket.on("close", () => isStopped || failures.push("closed"));
    socket.on("data", (data) => {
      timesMs.push(performance.now() - sentMs);
      const text = data.toString();
      if (!text.startsWith("HTTP/1.1 202")) failures.push(text);
      if (!isStopped) setTimeout(send, 5);
    });
    return socket;
  });
  return {
    timesMs,
    failures,
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

export function p99(timesMs: readonly number[]): number {
  return timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length * 0.99)] ?? 0;
}

/** A flood, in a process of its own: its work is not in the latency that good callers see. */
export class HostileConnections implements Disposable {
  readonly #child;

  /** @param program a file of this folder, which prints "open" once all connections have sent something */
  constructor(program: string, port: number, count: number) {
    this.#child = Bun.spawn([process.execPath, join(import.meta.dir, program), String(port), String(count)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  /** Resolves once all connections have sent what the producer reads at once. */
  async untilOpen(): Promise<void> {
    for await (const chunk of this.#child.stdout) if (Buffer.from(chunk).includes("open")) return;
    throw new Error("the flood ended early");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  [Symbol.dispose](): void {
    this.kill();
  }
}
