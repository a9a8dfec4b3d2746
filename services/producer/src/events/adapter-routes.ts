// The routes of the adapters that are on. They are those of a batch, with the responses that the SDKs expect.

import { KEY_PARAMETER } from "../callers/credentials.ts";
import { type AdapterFormats, adapters, createAdapterFormats } from "../formats/adapters/index.ts";
import { createPixelFormat, toPixelResponse } from "../formats/adapters/pixel.ts";
import { PIXEL_PATH } from "../formats/adapters/pixel-path.ts";
import type { AdapterName } from "../formats/adapters/settings.ts";
import type { DecodeLimits } from "../formats/index.ts";
import { adapterDetail, pixelDetail } from "./documentation.ts";
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
  if (name === "pixel") return [[PIXEL_PATH, pixelRoute(limits)]];
  // A Content-Type of /register_event.
  if (name === "form") return [];
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

/** Parameters of the request itself. */
const reserved = ["durability", KEY_PARAMETER];

function pixelRoute(limits: DecodeLimits): EventRoute {
  return {
    ...routes["/register_event"],
    detail: pixelDetail,
    head: {
      formatOf: (head) => createPixelFormat(head, reserved, limits),
      ignoresQuery: true,
      isForAnyPage: true,
    },
    toImage: toPixelResponse,
  };
}
