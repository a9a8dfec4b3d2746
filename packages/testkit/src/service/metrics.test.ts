import { expect, test } from "bun:test";
import { parseMetrics, sumMetric } from "./metrics.ts";

const text = `# HELP events_total Events.
# TYPE events_total counter
events_total{outcome="accepted"} 2
events_total{outcome="stored, \\"durable\\""} 3
# TYPE lag gauge
# TYPE handle_seconds histogram
handle_seconds_bucket{le="+Inf"} 4
handle_seconds_sum 0.5
handle_seconds_count 4
`;

test("samples by name and labels", () => {
  expect(parseMetrics(text).get('events_total{outcome="accepted"}')).toBe(2);
  expect(parseMetrics(text).get("handle_seconds_sum")).toBe(0.5);
});

test("sums over labels; a metric without samples is 0, an undeclared one an error", () => {
  expect(sumMetric(text, "events_total")).toBe(5);
  expect(sumMetric(text, "handle_seconds_count")).toBe(4);
  expect(sumMetric(text, "lag")).toBe(0);
  expect(() => sumMetric(text, "events")).toThrow("no metric events");
});
