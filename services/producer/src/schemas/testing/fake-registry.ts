// The requests of a Confluent Schema Registry that the producer sends, on a port of its own.

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string;
  /** Paths of all requests. */
  readonly requests: string[];
  /** Otherwise every request gets 503. */
  isAvailable: boolean;
  /** @returns the id */
  register(subject: string, schema: unknown): number;
}

export function startFakeRegistry(credentials: { user?: string; password?: string }): FakeRegistry {
  const subjects = new Map<string, { id: number; schema: string }[]>();
  const requests: string[] = [];
  let ids = 0;
  const { user, password } = credentials;
  const authorization = user === undefined ? null : `Basic ${btoa(`${user}:${password}`)}`;
  const error = (status: number) =>
    Response.json({ error_code: status, message: `error ${status}` }, { status });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      if (!registry.isAvailable) return error(503);
      if (authorization !== null && request.headers.get("authorization") !== authorization) return error(401);
      if (pathname === "/subjects") return Response.json([...subjects.keys()]);
      const [, encoded = "", version] = /^\/subjects\/([^/]+)\/versions(?:\/(\d+))?$/.exec(pathname) ?? [];
      const subject = decodeURIComponent(encoded);
      const versions = subjects.get(subject);
      if (versions === undefined) return error(404);
      if (version === undefined) return Response.json(versions.map((_, index) => index + 1));
      const found = versions[Number(version) - 1];
      return found === undefined
        ? error(404)
        : Response.json({ subject, version: Number(version), schemaType: "JSON", ...found });
    },
  });
  const registry: FakeRegistry = {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    isAvailable: true,
    register(subject, schema) {
      const id = ++ids;
      subjects.set(subject, [...(subjects.get(subject) ?? []), { id, schema: JSON.stringify(schema) }]);
      return id;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
  return registry;
}
