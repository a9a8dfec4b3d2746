// Settings → librdkafka's configuration, and the contradictions that keep a service from starting.
import { accessSync, constants } from "node:fs";
import { type Env, type SettingProblem, SettingsError, type SettingsRule } from "@ingest/service";
import { readPassThrough } from "./pass-through.ts";
import type { ClientConfig } from "./records.ts";
import type { ClientRole, ClientSettings, ConsumerSettings, ProducerSettings } from "./settings.ts";
import { settingsOf } from "./settings.ts";
import { consumerSettings } from "./settings-consumer.ts";

/** Properties that no setting changes. */
const FIXED: Readonly<Record<ClientRole, ClientConfig>> = {
  producer: {},
  consumer: { "enable.auto.commit": false, "enable.auto.offset.store": false, "enable.partition.eof": true },
  admin: {},
};

/** What the broker decides in a group with KAFKA_GROUP_PROTOCOL=consumer. librdkafka refuses to start with any of them. */
const CLASSIC_GROUP_SETTINGS = [
  "KAFKA_SESSION_TIMEOUT_MS",
  "KAFKA_HEARTBEAT_INTERVAL_MS",
  "KAFKA_PARTITION_ASSIGNMENT_STRATEGY",
] as const;

/**
 * librdkafka's configuration for one client.
 * @param settings the service's settings; members that aren't librdkafka's are left out
 * @param env when given, its other KAFKA_* variables are passed on too
 * @throws SettingsError naming every contradiction and every unknown KAFKA_* variable at once
 */
export function toClientConfig(
  settings: Readonly<ClientSettings>,
  role: ClientRole,
  env: Env = {},
): ClientConfig {
  const problems = findProblems(settings, role, env);
  if (problems.length > 0) throw new SettingsError(problems);
  const config: ClientConfig = {};
  const values = settings as Readonly<Record<string, unknown>>;
  for (const [name, row] of Object.entries(settingsOf(role))) {
    const property = row.librdkafka as string | undefined;
    const value = values[name];
    if (property !== undefined && value !== undefined) config[property] = value;
  }
  if (config["group.protocol"] === "consumer")
    for (const name of CLASSIC_GROUP_SETTINGS) delete config[consumerSettings[name].librdkafka as string];
  return Object.assign(config, readPassThrough(env, role, Object.keys(settings)).config, FIXED[role]);
}

/** The same checks as a rule for `parseSettings`, which then reports them together with a service's other problems. */
export function kafkaRule(role: ClientRole, env: Env = {}): SettingsRule<ClientSettings> {
  return (settings) => findProblems(settings, role, env);
}

/** For `parseSettings`: the names of other variables are checked by `kafkaRule`. */
export function isNotForKafka(name: string): boolean {
  return !name.startsWith("KAFKA_");
}

function findProblems(settings: Readonly<ClientSettings>, role: ClientRole, env: Env): SettingProblem[] {
  const report = new Report(settings as Readonly<Record<string, unknown>>);
  checkSecurity(settings, report);
  if (role === "producer") checkProducer(settings as ProducerSettings, report);
  if (role === "consumer") checkConsumer(settings as ConsumerSettings, report);
  return [...report.problems, ...readPassThrough(env, role, Object.keys(settings)).problems];
}

class Report {
  readonly problems: SettingProblem[] = [];
  constructor(private readonly settings: Readonly<Record<string, unknown>>) {}

  add(name: string, message: string): void {
    const value = this.settings[name];
    this.problems.push({ name, value: value === undefined ? undefined : String(value), message });
  }

  /** Reports each of these that is missing. */
  require(names: readonly (keyof ClientSettings)[], reason: string): void {
    for (const name of names) if (this.settings[name] === undefined) this.add(name, `is required ${reason}`);
  }
}

function checkProducer(s: ProducerSettings, report: Report): void {
  if (s.KAFKA_ENABLE_IDEMPOTENCE) {
    if (s.KAFKA_ACKS !== "all" && s.KAFKA_ACKS !== -1)
      report.add("KAFKA_ACKS", "must be all while KAFKA_ENABLE_IDEMPOTENCE is true");
    if (s.KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION > 5)
      report.add(
        "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION",
        "must be 5 or less while KAFKA_ENABLE_IDEMPOTENCE is true",
      );
  }
  if (s.KAFKA_LINGER_MS >= s.KAFKA_MESSAGE_TIMEOUT_MS)
    report.add(
      "KAFKA_LINGER_MS",
      `must be below KAFKA_MESSAGE_TIMEOUT_MS (${s.KAFKA_MESSAGE_TIMEOUT_MS}), or records time out while they wait`,
    );
  if (s.KAFKA_QUEUE_BUFFERING_MAX_KBYTES * 1024 < s.KAFKA_MESSAGE_MAX_BYTES)
    report.add(
      "KAFKA_QUEUE_BUFFERING_MAX_KBYTES",
      `must hold at least one record of KAFKA_MESSAGE_MAX_BYTES (${s.KAFKA_MESSAGE_MAX_BYTES} bytes)`,
    );
  if (s.KAFKA_RETRY_BACKOFF_MS > s.KAFKA_RETRY_BACKOFF_MAX_MS)
    report.add("KAFKA_RETRY_BACKOFF_MS", "must not be above KAFKA_RETRY_BACKOFF_MAX_MS");
}

function checkConsumer(s: ConsumerSettings, report: Report): void {
  if (s.KAFKA_GROUP_PROTOCOL === "consumer") {
    for (const name of CLASSIC_GROUP_SETTINGS)
      if (s[name] !== consumerSettings[name].default)
        report.add(name, "can't be set with KAFKA_GROUP_PROTOCOL=consumer: the broker decides on it");
    return;
  }
  if (s.KAFKA_HEARTBEAT_INTERVAL_MS * 3 > s.KAFKA_SESSION_TIMEOUT_MS)
    report.add(
      "KAFKA_HEARTBEAT_INTERVAL_MS",
      "must be at most a third of KAFKA_SESSION_TIMEOUT_MS, so that two can be lost",
    );
  if (s.KAFKA_SESSION_TIMEOUT_MS > s.KAFKA_MAX_POLL_INTERVAL_MS)
    report.add("KAFKA_SESSION_TIMEOUT_MS", "must not be above KAFKA_MAX_POLL_INTERVAL_MS");
}

function checkSecurity(s: ClientSettings, report: Report): void {
  if (s.KAFKA_RECONNECT_BACKOFF_MS > s.KAFKA_RECONNECT_BACKOFF_MAX_MS)
    report.add("KAFKA_RECONNECT_BACKOFF_MS", "must not be above KAFKA_RECONNECT_BACKOFF_MAX_MS");
  checkTls(s, s.KAFKA_SECURITY_PROTOCOL.endsWith("ssl"), report);
  checkLogin(s, s.KAFKA_SECURITY_PROTOCOL.startsWith("sasl"), report);
}

function checkTls(s: ClientSettings, isTls: boolean, report: Report): void {
  const given = Object.keys(s).filter(
    (name) => /^KAFKA_SSL_(CA|CERTIFICATE|KEY)_/.test(name) && s[name as keyof ClientSettings] !== undefined,
  ) as (keyof ClientSettings)[];
  if (!isTls) {
    for (const name of given)
      report.add(name, "has no effect without KAFKA_SECURITY_PROTOCOL=ssl or sasl_ssl");
    return;
  }
  const hasCertificate = s.KAFKA_SSL_CERTIFICATE_LOCATION ?? s.KAFKA_SSL_CERTIFICATE_PEM;
  const hasKey = s.KAFKA_SSL_KEY_LOCATION ?? s.KAFKA_SSL_KEY_PEM;
  if (hasCertificate && !hasKey)
    report.add("KAFKA_SSL_KEY_LOCATION", "is required with a certificate (or KAFKA_SSL_KEY_PEM)");
  if (hasKey && !hasCertificate)
    report.add("KAFKA_SSL_CERTIFICATE_LOCATION", "is required with a key (or KAFKA_SSL_CERTIFICATE_PEM)");
  for (const name of given.filter((n) => n.endsWith("_LOCATION"))) {
    const path = String(s[name]);
    // "probe" makes librdkafka search for the system's CA certificates.
    if (path !== "probe" && !isReadable(path)) report.add(name, "can't be read");
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function checkLogin(s: ClientSettings, isSasl: boolean, report: Report): void {
  if (!isSasl) {
    for (const name of ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"] as const) {
      if (s[name] !== undefined)
        report.add(name, "has no effect without KAFKA_SECURITY_PROTOCOL=sasl_ssl or sasl_plaintext");
    }
    return;
  }
  const mechanism = s.KAFKA_SASL_MECHANISM;
  report.require(["KAFKA_SASL_MECHANISM"], `with KAFKA_SECURITY_PROTOCOL=${s.KAFKA_SECURITY_PROTOCOL}`);
  if (mechanism === "PLAIN" || mechanism?.startsWith("SCRAM"))
    report.require(["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"], `with KAFKA_SASL_MECHANISM=${mechanism}`);
  if (mechanism === "OAUTHBEARER" && s.KAFKA_SASL_OAUTHBEARER_METHOD === "oidc")
    report.require(
      [
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET",
      ],
      "with KAFKA_SASL_OAUTHBEARER_METHOD=oidc",
    );
}
