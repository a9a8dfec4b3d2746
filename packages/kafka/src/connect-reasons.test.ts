import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { ConnectReasons } from "./connect-reasons.ts";
import { KafkaError } from "./errors.ts";

const timedOut = new KafkaError("timed_out", "Local: Timed out");

test.each([
  [
    "[thrd:b]: b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused",
    "broker_unavailable",
  ],
  ["[thrd:b]: b:9092/bootstrap: Failed to resolve 'b:9092': Name or service not known", "broker_unavailable"],
  ["[thrd:b]: sasl_ssl://b:9092/1: SASL authentication error: Authentication failed", "authentication"],
  ["[thrd:b]: sasl_ssl://b:9092/1: SSL handshake failed: certificate (after 1ms in state X)", "tls"],
] as const)("%s is %s", (message, code) => {
  const client = new EventEmitter();
  const reasons = new ConnectReasons(client);
  client.emit("event.log", { severity: 6, message: "[thrd:x]: something else" });
  client.emit("event.log", { severity: 3, message });
  const error = reasons.explain(timedOut, 500);
  expect(error).toMatchObject({ code, cause: timedOut });
  expect(error.message).toStartWith("No broker responded within 500 ms: ");
  expect(error.message).not.toContain("thrd");
});

test("without a log line an error event gives the reason; without either it is a time-out", () => {
  const client = new EventEmitter();
  const reasons = new ConnectReasons(client);
  expect(reasons.explain(timedOut, 500)).toMatchObject({
    code: "timed_out",
    message: "No broker responded within 500 ms",
  });
  client.emit("event.error", new Error("Local: Authentication failure"));
  client.emit("event.error", new Error("Local: All broker connections are down"));
  expect(reasons.explain(timedOut, 500).code).toBe("authentication");
  reasons.stop();
  expect(client.eventNames()).toEqual([]);
});

test("an error that explains itself is kept", () => {
  const wrong = new KafkaError("invalid_config", "no");
  expect(new ConnectReasons(new EventEmitter()).explain(wrong, 500)).toBe(wrong);
});
