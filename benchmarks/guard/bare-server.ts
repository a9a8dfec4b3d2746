// The baseline: a Bun.serve that only reads the body and responds. It takes PORT like every measured server.
const ID = /"event_id":"([^"]*)"/;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  async fetch(request) {
    if (request.method === "GET") return new Response("ready");
    // The load generator checks the id in each response.
    const id = ID.exec(await request.text())?.[1] ?? "";
    return new Response(`{"status":"accepted","event_id":"${id}"}`, {
      status: 202,
      headers: { "Content-Type": "application/json" },
    });
  },
});
