import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { configLines } from "./config-report.ts";

test("every setting is a line with its value and its source, and secrets are masked", () => {
  const rows = {
    PORT: Type.Integer(),
    HOST: Type.String(),
    PROXIES: Type.Array(Type.String()),
    API_KEY: Type.String(),
    PASSWORD: Type.String(),
    STORE_URL: Type.String(),
    NONE: Type.Optional(Type.String()),
  };
  const lines = configLines({
    rows,
    settings: {
      PORT: 80,
      HOST: "h",
      PROXIES: ["a", "b"],
      API_KEY: "hunter2",
      PASSWORD: "hunter3",
      STORE_URL: "https://a:hunter4@store/x",
    },
    others: { OTHER_SECRET: "hunter5" },
    env: { PORT: "80", PROXIES: "a,b", API_KEY: "hunter2", PASSWORD_FILE: "/run/p", OTHER_SECRET: "hunter5" },
  });
  expect(lines).toEqual([
    "PORT=80 # environment",
    "HOST=h # default",
    "PROXIES=a,b # environment",
    "API_KEY=… # environment",
    "PASSWORD=… # file /run/p",
    "STORE_URL=https://store/x # default",
    "#NONE= # not set",
    "OTHER_SECRET=… # environment",
  ]);
});
