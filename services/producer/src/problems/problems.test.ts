import { describe, expect, test } from "bun:test";
import { problemCodes, problems } from "@ingest/contract";
import { createTestApp } from "../testing/test-app.ts";

const { app, post } = createTestApp();
const get = (path: string, accept: string) =>
  app.handle(new Request(`http://localhost${path}`, { headers: { accept } }));

test("a problem's type is an address that explains it", async () => {
  const { type, code } = (await (await post("/register_event", "not JSON")).json()) as {
    type: string;
    code: string;
  };
  const response = await get(type, "*/*");
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ code, remedy: problems.not_json.remedy });
});

describe.each(problemCodes)("/problems/%s", (code) => {
  test("is JSON for a program", async () => {
    const response = await get(`/problems/${code}`, "application/json");
    const { status, title, cause, remedy, canRetry } = problems[code];
    expect(response.headers.get("content-type")).toStartWith("application/json");
    expect(await response.json()).toEqual({
      type: `/problems/${code}`,
      code,
      status,
      title,
      can_retry: canRetry,
      cause,
      remedy,
    });
  });

  test("is a page for a browser", async () => {
    const response = await get(`/problems/${code}`, "text/html,application/xhtml+xml,*/*;q=0.8");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("vary")).toBe("Accept");
    const page = await response.text();
    expect(page).toContain(`<code>${problems[code].status} ${code}</code>`);
    expect(page).not.toContain("`");
  });
});

test("an unknown code is not found", async () => {
  const response = await get("/problems/nothing", "*/*");
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: "not_found", type: "/problems/not_found" });
});
