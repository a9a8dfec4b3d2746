// The files of the API's page, and the settings that move or remove it.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { temporaryFolder } from "@ingest/testkit";
import { serveTestApp } from "../testing/serve.ts";
import { createTestApp } from "../testing/test-app.ts";
import { portPaths } from "./admin-paths.ts";
import { StaticFile } from "./static-file.ts";

const SCRIPT = "/openapi/assets/swagger-ui-bundle.js";

function get(headers: Record<string, string> = {}): Promise<Response> {
  return createTestApp().app.handle(new Request(`http://localhost${SCRIPT}`, { headers }));
}

describe("a file of the page", () => {
  test.each([
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const)("is sent as %s to those who accept it alone", async (coding, decompress) => {
    const plain = await get({ "accept-encoding": `${coding};q=0, identity` });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(plain.headers.get("vary")).toContain("Accept-Encoding");
    const encoded = await get({ "accept-encoding": `deflate, ${coding};q=0.5` });
    expect(encoded.headers.get("content-encoding")).toBe(coding);
    expect(encoded.headers.get("etag")).not.toBe(plain.headers.get("etag"));
    const content = Buffer.from(await plain.arrayBuffer());
    const bytes = Buffer.from(await encoded.arrayBuffer());
    expect(bytes.length).toBeLessThan(content.length / 2);
    expect(decompress(bytes).equals(content)).toBe(true);
  });

  test("is not sent again to those who have it", async () => {
    const etag = (await get()).headers.get("etag")!;
    for (const known of [etag, `"other", W/${etag}`, "*"]) {
      const response = await get({ "if-none-match": known });
      expect([response.status, await response.text()]).toEqual([304, ""]);
      expect(response.headers.get("etag")).toBe(etag);
      expect(response.headers.get("cache-control")).toContain("max-age");
    }
    expect((await get({ "if-none-match": '"other"' })).status).toBe(200);
  });
});

test("a file that could not be read is read again", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "late.txt");
  const file = new StaticFile(path, "text/plain");
  const request = new Request("http://localhost/");
  await expect(file.respond(request)).rejects.toThrow("ENOENT");
  writeFileSync(path, "there");
  expect(await (await file.respond(request)).text()).toBe("there");
});

test("without OPENAPI_ENABLED neither the page nor the document exists", async () => {
  const { app } = createTestApp({ hasOpenapi: false });
  for (const path of ["/openapi", "/openapi/json", SCRIPT])
    expect((await app.handle(new Request(`http://localhost${path}`))).status).toBe(404);
  const nothing = await app.handle(new Request("http://localhost/nothing"));
  expect(await nothing.json()).toMatchObject({ detail: "Nothing exists at /nothing." });
  expect(await (await app.handle(new Request("http://localhost/"))).text()).not.toContain("openapi");
});

describe("with a port for operators", () => {
  const adminPaths = ["/", "/metrics", "/health/live", "/health/ready", "/openapi", "/openapi/json", SCRIPT];
  const event = {
    method: "POST",
    body: '{"event_type":"a"}',
    headers: { "content-type": "application/json" },
  };

  test("the public one has no path of it", async () => {
    await using served = serveTestApp({ serves: portPaths.public });
    for (const path of adminPaths) {
      const response = await fetch(served.url + path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "not_found" });
    }
    expect((await fetch(`${served.url}/register_event`, event)).status).toBe(202);
    expect((await fetch(`${served.url}/problems/not_found`)).status).toBe(200);
  });

  test("that one has no other path", async () => {
    await using served = serveTestApp({ serves: portPaths.admin });
    for (const path of adminPaths) expect((await fetch(served.url + path)).status).toBe(200);
    expect((await fetch(`${served.url}/problems/not_found`)).status).toBe(200);
    expect((await fetch(`${served.url}/register_event`, event)).status).toBe(404);
  });
});
