// The limit: Bun.serve that reads the body and answers, and does nothing else. Run as a program; settings as everyone's.
const ID = /"event_id":"([^"]*)"/;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  async fetch(request) {
    if (request.method === "GET") return new Response("ready");
    // The load generator takes only answers with its own id.
    const id = ID.exec(await request.text())?.[1] ?? "";
    return new Response(`{"status":"accepted","event_id":"${id}"}`, {
      status: 202,
      headers: { "Content-Type": "application/json" },
    });
  },
});
