// The API's page: the endpoints by Swagger UI, and below them every problem code. It loads nothing from another origin.
import { problemCodes, problems, problemType } from "@ingest/contract";
import { toHtml } from "../problems/page.ts";

export const assetPaths = {
  style: "/openapi/assets/swagger-ui.css",
  script: "/openapi/assets/swagger-ui-bundle.js",
} as const;

const style = `
:root { color-scheme: light dark }
body { margin: 0 }
.codes { font: 14px/1.5 sans-serif; color: #3b4151; max-width: 1420px; margin: 0 auto 50px; padding: 0 20px; overflow-x: auto }
.dark-mode .codes { color: #e4e6e6 }
.codes a { color: inherit }
.codes table { border-collapse: collapse; width: 100% }
.codes th, .codes td { text-align: left; padding: 6px 10px 6px 0; border-bottom: 1px solid #8888; vertical-align: top }
.codes td:first-child { overflow-wrap: anywhere }
@media (max-width: 640px) {
  .swagger-ui .wrapper, .codes { padding: 0 10px }
  .swagger-ui .opblock .opblock-summary-control { flex-wrap: wrap }
  .swagger-ui .opblock-summary-path { max-width: 100% }
  .swagger-ui .opblock-summary-description { flex-basis: 100%; padding-left: 10px }
  .swagger-ui table.parameters, .swagger-ui table.responses-table, .swagger-ui table.headers { display: block; overflow-x: auto }
}`;

const script = `
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);
SwaggerUIBundle({ url: "/openapi/json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });`;

/** @param title of the API */
export function toPage(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${Bun.escapeHTML(title)}</title>
<link rel="stylesheet" href="${assetPaths.style}">
<style>${style}
</style>
</head>
<body>
<main id="swagger-ui"></main>
<section class="codes" aria-labelledby="codes">
<h2 id="codes">Problem codes</h2>
<table>
<thead><tr><th>code</th><th>status</th><th>meaning</th><th>retry?</th></tr></thead>
<tbody>
${problemCodes.map(toRow).join("\n")}
</tbody>
</table>
</section>
<script src="${assetPaths.script}"></script>
<script>${script}
</script>
</body>
</html>
`;
}

function toRow(code: (typeof problemCodes)[number]): string {
  const { status, title, canRetry } = problems[code];
  const link = `<a href="${problemType(code)}"><code>${code}</code></a>`;
  return `<tr><td>${link}</td><td>${status}</td><td>${toHtml(title)}</td><td>${canRetry ? "yes" : "no"}</td></tr>`;
}
