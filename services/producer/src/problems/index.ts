// `GET /problems/<code>`: what the `type` of a problem points to. A page for browsers, JSON for everything else.
import { problemCodes, problems, problemType } from "@ingest/contract";
import { Elysia } from "elysia";
import { toPage } from "./page.ts";

/** Which of the two is sent depends on Accept; neither changes while the process runs. */
const headers = { vary: "Accept", "cache-control": "max-age=3600" };

export function problemRoutes() {
  const app = new Elysia({ name: "problems" });
  for (const code of problemCodes) {
    const { status, title, canRetry, cause, remedy } = problems[code];
    const explanation = { type: problemType(code), code, status, title, can_retry: canRetry, cause, remedy };
    const page = toPage(explanation);
    app.get(
      explanation.type,
      ({ request }) =>
        request.headers.get("accept")?.includes("text/html")
          ? new Response(page, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } })
          : Response.json(explanation, { headers }),
      { detail: { hide: true } },
    );
  }
  return app;
}
