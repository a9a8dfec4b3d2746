// The report as text for people.
import type { LatencyReport, Report } from "./schema.ts";

/** Above this share of a core the bench itself limits the rate. */
const BUSY_SHARE = 0.95;

export function printReport(report: Report): string {
  const { requests, events, setup } = report;
  const lines = [
    `${report.interrupted ? "Interrupted after" : "Done in"} ${seconds(report.elapsedSeconds)}: ` +
      `${count(requests.completed)} responses over ${count(setup.concurrency)} connections` +
      `${setup.batch === null ? "" : `, ${count(setup.batch)} events a request (${setup.format})`}`,
    "",
    row("requests/s (RPS)", count(Math.round(requests.perSecond))),
    row("events/s accepted", count(Math.round(events.acceptedPerSecond))),
    "",
    row("accepted", count(events.accepted) + list(events.byStatus, ["accepted"])),
    row("refused", count(events.refused) + list(report.refusals)),
  ];
  if (events.unknown > 0)
    lines.push(row("outcome unknown", `${count(events.unknown)}  (sent, no conclusive response)`));
  if (events.unsent > 0) lines.push(row("not sent", `${count(events.unsent)}  (no connection)`));
  lines.push(row("responses by status", toList(requests.byStatus) || "none"));
  lines.push(row("errors", toList(report.errors) || "0"));
  for (const [name, text] of Object.entries(report.examples)) {
    lines.push(row("", `first ${name}: ${text.replace(/\p{Cc}+/gu, " ").trim()}`));
  }
  lines.push("", ...latencyTable(report));
  if (report.openLoop !== null) {
    const { ratePerSecond, sentPerSecond, maxSendDelayMs, overdue } = report.openLoop;
    lines.push(
      "",
      row("target, actual rate", `${count(ratePerSecond)}/s, ${count(Math.round(sentPerSecond))}/s`),
      row(
        "longest send delay",
        `${ms(maxSendDelayMs)}${overdue > 0 ? `; ${count(overdue)} requests were due and never sent` : ""}`,
      ),
    );
  }
  // An open loop spins between sends: its CPU time says nothing about the cost of a request.
  if (report.openLoop === null) {
    const { microsecondsPerRequest, share } = report.benchCpu;
    lines.push(
      "",
      row(
        "CPU of the bench",
        `${microsecondsPerRequest.toFixed(1)} µs a request, ${percent(share)} of a core`,
      ),
    );
    if (share >= BUSY_SHARE) lines.push(row("", "the bench was the bottleneck: the service may be faster"));
  }
  if (report.verification !== null) lines.push("", ...verificationLines(report));
  return lines.join("\n");
}

function latencyTable({ latencyMs }: Report): string[] {
  const rows = Object.entries({
    accepted: latencyMs.accepted,
    refused: latencyMs.refused,
    "from actual send": latencyMs.serviceTime,
  }).filter((entry): entry is [string, LatencyReport] => entry[1] !== null);
  if (rows.length === 0) return [row("latency", "no responses")];
  const cells = (values: string[]) => values.map((value) => value.padStart(10)).join("");
  return [
    `${"latency".padEnd(20)}${cells(["p50", "p90", "p99", "p99.9", "max"])}`,
    ...rows.map(
      ([name, l]) => `${`  ${name}`.padEnd(20)}${cells([l.p50, l.p90, l.p99, l.p99_9, l.max].map(ms))}`,
    ),
  ];
}

function verificationLines({ verification, events }: Report): string[] {
  const v = verification!;
  const lines = [
    `Verified against topic "${v.topic}" in ${seconds(v.seconds)}${v.complete ? "" : " (interrupted: incomplete)"}`,
    `accepted ${v.accepted}, stored ${v.stored}, missing ${v.missing}, duplicated ${v.duplicated}`,
  ];
  if (v.unknownStored > 0)
    lines.push(`of ${events.unknown} with unknown outcome, ${v.unknownStored} are in the topic`);
  if (v.refusedStored > 0) lines.push(`${v.refusedStored} were refused, but are in the topic`);
  if (v.missing > 0) {
    const more = v.missing > v.missingIds.length ? ", …" : "";
    lines.push(`missing: ${v.missingIds.join(", ")}${more}`);
  }
  return lines;
}

function row(name: string, value: string): string {
  return `${name.padEnd(20)}${value}`;
}

/** `  (queue_full 3, invalid 2)`; empty when the only name is one of `usual`, which goes without saying. */
function list(counts: Record<string, number>, usual: string[] = []): string {
  const entries = Object.entries(counts);
  if (entries.length === 0 || (entries.length === 1 && usual.includes(entries[0]![0]))) return "";
  return `  (${toList(counts)})`;
}

function toList(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${name} ${count(n)}`)
    .join(", ");
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

function ms(value: number): string {
  return value < 100 ? `${value.toFixed(2)} ms` : `${count(Math.round(value))} ms`;
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
