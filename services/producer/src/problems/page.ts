// One problem as a page: no script, nothing loaded.

interface Explanation {
  code: string;
  status: number;
  title: string;
  can_retry: boolean;
  /** Markdown, as in the table. */
  cause: string;
  remedy: string;
}

export function toPage({ code, status, title, can_retry, cause, remedy }: Explanation): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${status} ${code}</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
</style>
<h1>${toHtml(title)}</h1>
<p><code>${status} ${code}</code></p>
<h2>Cause</h2>
<p>${toHtml(cause)}</p>
<h2>Remedy</h2>
<p>${toHtml(remedy)}</p>
<p>The same request ${can_retry ? "can succeed later" : "fails again, however often it is sent"}.</p>
<p><a href="/openapi">API documentation</a></p>
</html>
`;
}

/** Text with Markdown's backticks, which is all the table uses. */
export function toHtml(markdown: string): string {
  return Bun.escapeHTML(markdown).replace(/`([^`]+)`/g, "<code>$1</code>");
}
