// The paths of Segment's API. Requests to them have their key as the user name of Basic authentication.

/** The paths for one message name its type; analytics.js uses the short ones. */
export const singlePaths: ReadonlyMap<string, string> = new Map(
  ["track", "identify", "page", "screen", "group", "alias"].flatMap((type) => [
    [`/v1/${type}`, type] as const,
    [`/v1/${type[0]}`, type] as const,
  ]),
);

export const segmentPaths: readonly string[] = ["/v1/batch", "/v1/b", ...singlePaths.keys()];
