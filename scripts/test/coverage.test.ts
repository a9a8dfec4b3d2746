import { expect, test } from "bun:test";
import { addLcov, type Coverage, coverageReport } from "./coverage.ts";

const first = `TN:
SF:services/producer/src/delivery/delivery.ts
DA:1,5
DA:2,0
DA:3,0
DA:9,0
end_of_record
SF:services/producer/src/delivery/delivery.test.ts
DA:1,0
end_of_record
SF:packages/contract/src/event.ts
DA:1,1
end_of_record
`;
const second = "SF:services/producer/src/delivery/delivery.ts\nDA:9,1\nend_of_record\n";

test("adds reports up, and lists what no test ran in the folders asked for", () => {
  const coverage: Coverage = new Map();
  addLcov(coverage, first);
  addLcov(coverage, second);
  const sources = ["delivery.ts", "sink.ts", "sink.test.ts"].map(
    (name) => `services/producer/src/delivery/${name}`,
  );
  expect(coverageReport(coverage, sources, ["services/producer/src/delivery"])).toEqual([
    "packages/contract        100.0 % of 1 lines",
    "services/producer         50.0 % of 4 lines",
    "",
    "lines that no test of these suites ran:",
    "services/producer/src/delivery/delivery.ts ( 50.0 %): 2-3",
    "services/producer/src/delivery/sink.ts: not loaded by any test",
  ]);
});
