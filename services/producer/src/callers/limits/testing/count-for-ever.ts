// A process for a test: adds one event after another to a quota file, and prints how many are written.
import pino from "pino";
import { UsageFile } from "../usage-file.ts";

const [, , path = "", day = "0"] = process.argv;
const file = new UsageFile(path, pino({ level: "silent" }));
for (let written = 1; file.add(Number(day), new Map([["shop", { events: 1, bytes: 1 }]])); written++)
  process.stdout.write(`${written}\n`);
