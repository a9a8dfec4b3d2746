import { expect, test } from "bun:test";
import { settingsDocument, settingsParts } from "./settings-document.ts";

test("docs/settings.md is what the schemas say", async () => {
  expect(await Bun.file(new URL("../docs/settings.md", import.meta.url)).text()).toBe(settingsDocument());
});

test("every setting says why", () => {
  const silent = settingsParts.flatMap(([, rows]) =>
    Object.entries(rows)
      .filter(([, row]) => !row.description)
      .map(([name]) => name),
  );
  expect(silent).toEqual([]);
});
