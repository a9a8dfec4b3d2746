// Before a part is started from a clone that may be fresh: its dependencies, and with them the native addon.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installDependencies, root } from "./set-up.ts";

if (!existsSync(join(root, "node_modules", "@ingest"))) await installDependencies();
