// Writes docs/settings-kafka.md from the settings table: bun packages/kafka/build/generate-settings-document.ts
import { kafkaSettingsDocument } from "../src/settings-document.ts";

const target = new URL("../../../docs/settings-kafka.md", import.meta.url);
await Bun.write(target, kafkaSettingsDocument());
console.log(`Written: ${target.pathname}`);
