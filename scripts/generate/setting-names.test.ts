import { expect, test } from "bun:test";
import { fileNames } from "@ingest/service";
import { readSettings } from "../../services/consumer/src/config.ts";
import { readConfig } from "../../services/producer/src/config.ts";
import { settingsParts } from "./settings.ts";

const settings = settingsParts.flatMap(([, rows]) => Object.keys(rows));
const names = [...settings, ...fileNames(settings)];

// All services read the same .env file.
test.each(names)("%s is no misspelled name to a service that doesn't have it", (name) => {
  for (const read of [readConfig, readSettings]) {
    try {
      read({ [name]: "x" });
    } catch (error) {
      expect((error as Error).message).not.toContain("did you mean");
    }
  }
});
