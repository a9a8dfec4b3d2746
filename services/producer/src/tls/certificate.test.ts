import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TlsOptions } from "@ingest/http-server";
import { createLog, SettingsError } from "@ingest/service";
import {
  canCreateCertificates,
  createCertificate,
  type TemporaryFolder,
  temporaryFolder,
  until,
} from "@ingest/testkit";
import { readConfig } from "../config.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { CertificateReloader } from "./reloader.ts";

const DAY_MS = 86_400_000;

test.each([
  [{ TLS_CERT: "/a" }, "TLS_KEY: is required with TLS_CERT"],
  [{ TLS_KEY: "/a" }, "TLS_CERT: is required with TLS_KEY"],
  [{ TLS_KEY_PASSPHRASE: "x" }, "TLS_KEY_PASSPHRASE: has no effect without TLS_KEY"],
  [{ TLS_CLIENT_CA: "/a" }, "TLS_CLIENT_CA: has no effect without TLS_CERT"],
  [{ TLS_CERT: "/a", TLS_KEY: "/b", TLS_CLIENT_CA: "/c" }, "TLS_CLIENT_CA: requires ADMIN_PORT"],
  [
    { TLS_CERT: "/a", TLS_KEY: "/b", PROXY_PROTOCOL: "true", TRUSTED_PROXIES: "loopback" },
    "TLS_CERT: can't be used with PROXY_PROTOCOL",
  ],
] as const)("%j is refused", (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});

describe.skipIf(!canCreateCertificates)("certificates", () => {
  let folder: TemporaryFolder;
  let first: ReturnType<typeof createCertificate>;
  let second: ReturnType<typeof createCertificate>;
  let encrypted: ReturnType<typeof createCertificate>;
  const file = (name: string, contents: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, contents);
    return path;
  };
  beforeAll(() => {
    folder = temporaryFolder("certificates");
    first = createCertificate({ folder: folder.path, name: "first" });
    second = createCertificate({ folder: folder.path, name: "second" });
    encrypted = createCertificate({ folder: folder.path, name: "encrypted", passphrase: "hunter2" });
  });
  afterAll(() => folder[Symbol.dispose]());

  const pair = () => ({ TLS_CERT: first.certPath, TLS_KEY: first.keyPath });

  test("a pair is read with the time at which it expires", () => {
    const { tls, subject, expiresMs } = readCertificate(pair())!;
    expect([tls.cert, tls.key, subject]).toEqual([first.cert, first.key, "CN=first"]);
    expect(expiresMs - Date.now()).toBeWithin(29 * DAY_MS, 31 * DAY_MS);
    expect(readCertificate({})).toBeUndefined();
  });

  test("an encrypted key is read with its passphrase", () => {
    const settings = { TLS_CERT: encrypted.certPath, TLS_KEY: encrypted.keyPath };
    expect(readCertificate({ ...settings, TLS_KEY_PASSPHRASE: "hunter2" })!.tls.passphrase).toBe("hunter2");
    expect(() => readCertificate(settings)).toThrow("TLS_KEY: is encrypted: set TLS_KEY_PASSPHRASE");
    expect(() => readCertificate({ ...settings, TLS_KEY_PASSPHRASE: "hunter3" })).toThrow(
      "TLS_KEY_PASSPHRASE: is not the passphrase of TLS_KEY",
    );
  });

  test.each([
    [
      "a missing file",
      () => ({ ...pair(), TLS_CERT: "/none" }),
      'TLS_CERT="/none": must be the path of a readable',
    ],
    [
      "another key",
      () => ({ ...pair(), TLS_KEY: second.keyPath }),
      "TLS_KEY: is not the key of the certificate",
    ],
    [
      "the two mixed up",
      () => ({ TLS_CERT: first.keyPath, TLS_KEY: first.certPath }),
      "TLS_KEY: must be a file",
    ],
    [
      "no PEM",
      () => ({ ...pair(), TLS_CERT: file("x", "x") }),
      "TLS_CERT: must be a file with a certificate",
    ],
    [
      "a chain that is cut off",
      () => ({
        ...pair(),
        TLS_CERT: file("chain", `${first.cert}${second.cert.slice(0, 300)}\n-----END CERTIFICATE-----\n`),
      }),
      "TLS_CERT: can't be used",
    ],
    [
      "authorities that are none",
      () => ({ ...pair(), TLS_CLIENT_CA: file("ca", "x") }),
      "TLS_CLIENT_CA: must be",
    ],
  ] as const)("%s is named", (_, settings, message) => {
    expect(() => readCertificate(settings())).toThrow(message);
  });

  test("the text of a key in place of its path is not shown", () => {
    const read = () => readCertificate({ ...pair(), TLS_KEY: first.key });
    expect(read).toThrow("TLS_KEY: must be the path of a PEM file, not its text");
    expect(read).not.toThrow(first.key.split("\n")[1]!);
  });

  test("a certificate is used in its time only", () => {
    expect(() => readCertificate(pair(), Date.now() + 40 * DAY_MS)).toThrow(/TLS_CERT: expired on \d{4}-/);
    expect(() => readCertificate(pair(), Date.now() - DAY_MS)).toThrow(
      /TLS_CERT: is not valid before \d{4}-/,
    );
    expect(() => readCertificate(pair(), Date.now() + 40 * DAY_MS)).toThrow(SettingsError);
  });

  describe("the reloader", () => {
    function start() {
      const used: TlsOptions[] = [];
      const lines: string[] = [];
      const settings = {
        TLS_CERT: file("live.crt", first.cert),
        TLS_KEY: file("live.key", first.key),
      };
      const reloader = new CertificateReloader({
        settings,
        certificate: readCertificate(settings) as Certificate,
        replace: (tls) => used.push(tls) > 0,
        log: createLog(
          "test",
          { LOG_LEVEL: "info", LOG_FORMAT: "json" },
          { write: (line) => void lines.push(line) },
        ),
      });
      reloader.start();
      return { settings, reloader, used, lines, [Symbol.dispose]: () => reloader.stop() };
    }

    test("uses a pair that has changed, and keeps the old one while only one file has", async () => {
      using reload = start();
      copyFileSync(second.certPath, reload.settings.TLS_CERT);
      await until("the failure", () => reload.reloader.counts.failure === 1);
      expect(reload.used).toEqual([]);
      expect(reload.lines.join()).toContain("is not the key of the certificate in TLS_CERT");
      copyFileSync(second.keyPath, reload.settings.TLS_KEY);
      await until("the reload", () => reload.reloader.counts.success === 1);
      expect(reload.used.map(({ cert }) => cert)).toEqual([second.cert]);
    });

    test("reads the files at once when asked to", () => {
      using reload = start();
      copyFileSync(second.certPath, reload.settings.TLS_CERT);
      copyFileSync(second.keyPath, reload.settings.TLS_KEY);
      reload.reloader.reload();
      expect(reload.used.map(({ cert }) => cert)).toEqual([second.cert]);
      file("live.key", "x");
      reload.reloader.reload();
      expect(reload.reloader.counts).toEqual({ success: 1, failure: 1 });
    });
  });
});
