// The routes of the adapters that are on. They are those of a batch, with the responses that the SDKs expect.

import { type AdapterFormats, adapters, createAdapterFormats } from "../formats/adapters/index.ts";
import type { AdapterName } from "../formats/adapters/settings.ts";
import type { DecodeLimits } from "../formats/index.ts";
import { adapterDetail } from "./documentation.ts";
import { toAdapterResponse } from "./responses.ts";
import { type EventRoute, routes } from "./routes.ts";

/** All routes that take events, by path. */
export function createEventRoutes(
  names: readonly AdapterName[],
  limits: DecodeLimits,
): Readonly<Record<string, EventRoute>> {
  return Object.fromEntries([...Object.entries(routes), ...names.flatMap((name) => routesOf(name, limits))]);
}

function routesOf(name: AdapterName, limits: DecodeLimits): [path: string, EventRoute][] {
  const adapter = adapters[name];
  const formats: AdapterFormats = createAdapterFormats(adapter, limits);
  return adapter.paths.map((path) => [
    path,
    {
      detail: adapterDetail(adapter.product, path),
      bodyLimit: "maxBodyBytes",
      isBatch: true,
      head: {
        formatOf: formats.formatOf,
        encodingsOf: adapter.encodingsOf,
        ignoresQuery: true,
      },
      keyIn: adapter.hasKeyInBody ? formats.keyIn : undefined,
      respond(service, body, options) {
        const toResponse = (results: Awaited<ReturnType<typeof service.registerMany>>) =>
          toAdapterResponse(results, adapter.success, options.requested);
        const results = service.registerMany(body, options);
        return results instanceof Promise ? results.then(toResponse) : toResponse(results);
      },
    },
  ]);
}
