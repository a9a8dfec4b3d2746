import { expect, test } from "bun:test";
import { KafkaError } from "./errors.ts";
import { assertFeatures } from "./features.ts";

const all = ["ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer", "oidc", "zstd", "lz4", "gzip", "snappy"];

test.each([
  [{ "security.protocol": "ssl" }, "ssl"],
  [{ "security.protocol": "sasl_plaintext", "sasl.mechanism": "SCRAM-SHA-512" }, "sasl_scram"],
  [{ "security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER" }, "sasl_oauthbearer"],
  [{ "sasl.oauthbearer.method": "oidc" }, "oidc"],
  [{ "compression.type": "zstd" }, "zstd"],
  [{ "compression.codec": "gzip" }, "gzip"],
])("%j needs %s, and the error explains how to get it", (config, feature) => {
  expect(() => assertFeatures(config, all)).not.toThrow();
  const without = all.filter((name) => name !== feature);
  expect(() => assertFeatures(config, without)).toThrow(KafkaError);
  expect(() => assertFeatures(config, without)).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringMatching(new RegExp(`${feature}.*install .*bun install`)),
    }),
  );
});

test("a plain configuration needs no optional feature", () => {
  expect(() => assertFeatures({ "bootstrap.servers": "x", "compression.type": "none" }, [])).not.toThrow();
});
