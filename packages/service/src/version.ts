// The version stands once, in the repository's package.json.
import manifest from "../../../package.json" with { type: "json" };

export const { version } = manifest;
