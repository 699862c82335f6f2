/**
 * What the environment says to a server, understood here and nowhere else. Some of the OTEL_*
 * variables are read by the SDK once more.
 */
import { hostname } from "node:os";
import { resolve } from "node:path";

import type { z } from "zod";

import { type OtelSettings, readOtel } from "./config/otel.ts";
import { type Address, SCHEMAS } from "./config/schemas.ts";
import { type Name, type Variable, VARIABLES } from "./config/variables.ts";
import type { Networks } from "./outgoing/networks.ts";
import { PUBLIC_RECEIVERS, type Receivers } from "./outgoing/receivers.ts";

export type { Address } from "./config/schemas.ts";
export { EXPORTER_VARIABLES, OTEL_VARIABLES } from "./config/otel-variables.ts";
export { VARIABLES } from "./config/variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export type OutsideIssuer = {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly audience: string;
  readonly organizationClaim: string;
  readonly userClaim: string;
  /** Null: a JWT may what its user may. */
  readonly abilitiesClaim: string | null;
};

export type CallbackConfig = {
  /** That are not public, and allowed all the same. */
  readonly receivers: Receivers;
  /** Requests under way. */
  readonly atOnce: number;
  readonly atOncePerReceiver: number;
};

export type ServerConfig = {
  /** `sqlite:<path>` or `mysql://…` */
  readonly databaseUrl: string;
  /** Nobody named a database: an organization, a user and tokens for development are made. */
  readonly development: boolean;
  /** Absolute. */
  readonly dataDir: string;
  readonly listen: Address;
  /** Whose `X-Forwarded-For` is believed on the public listener. */
  readonly trustedProxies: Networks;
  readonly internalListen: Address;
  /** Null: what the internal listener turns out to be. */
  readonly internalUrl: string | null;
  /** Null: host name and internal port. */
  readonly serverId: string | null;
  readonly metricsListen: Address | null;
  /** A folder of job types that are put at the start, and whose they are, by name or id. */
  readonly typesDir: string | null;
  readonly typesOrganization: string;
  readonly logLevel: LogLevel;
  readonly drainMs: number;
  readonly callbacks: CallbackConfig;
  /** Whose JWTs are taken; null: nobody's. */
  readonly outsideIssuer: OutsideIssuer | null;
  readonly otel: OtelSettings;
};

/** Everything that is wrong with the environment, one line each. */
export class ConfigFault extends Error {
  override readonly name = "ConfigFault";
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
    this.faults = faults;
  }
}

type Reading = {
  readonly faults: string[];
  read<N extends Name>(name: N): z.output<(typeof SCHEMAS)[N]> | undefined;
};

const reading = (env: Environment): Reading => {
  const faults: string[] = [];
  return {
    faults,
    read: (name) => {
      const value = env[name];
      // An empty variable is what a compose file makes of one that is not set.
      if (value === undefined || value === "") return undefined;
      const parsed = SCHEMAS[name].safeParse(value);
      if (parsed.success) return parsed.data as z.output<(typeof SCHEMAS)[typeof name]>;
      const variable: Variable = VARIABLES[name];
      const shown = variable.secret === true ? "set, but not understood" : JSON.stringify(value);
      faults.push(`${name} is ${shown}; allowed: ${variable.allowed}`);
      return undefined;
    },
  };
};

/** The URL of the MYSQL_* family; null when none of it is set. */
const mysqlUrl = ({ faults, read }: Reading): string | null => {
  const [host, portNumber, user, password, database] = [
    read("MYSQL_HOST"),
    read("MYSQL_PORT"),
    read("MYSQL_USER"),
    read("MYSQL_PASSWORD"),
    read("MYSQL_DATABASE"),
  ];
  if ([host, portNumber, user, password, database].every((part) => part === undefined)) return null;
  for (const [name, value] of Object.entries({
    MYSQL_HOST: host,
    MYSQL_USER: user,
    MYSQL_DATABASE: database,
  })) {
    if (value === undefined) {
      faults.push(
        `${name} is not set, but others of MYSQL_* are; allowed: ${VARIABLES[name as Name].allowed}`,
      );
    }
  }
  const login = [user ?? "", ...(password === undefined ? [] : [password])].map(encodeURIComponent);
  return `mysql://${login.join(":")}@${host ?? ""}:${portNumber ?? 3306}/${encodeURIComponent(database ?? "")}`;
};

const dataDirectory = ({ read }: Reading): string =>
  resolve(read("MILLRACE_DATA_DIR") ?? ".millrace");

/** All of the issuer, or nothing of it. */
const outsideIssuer = ({ faults, read }: Reading): OutsideIssuer | null => {
  const before = faults.length;
  const needed = {
    MILLRACE_JWT_ISSUER: read("MILLRACE_JWT_ISSUER"),
    MILLRACE_JWT_JWKS_URL: read("MILLRACE_JWT_JWKS_URL"),
    MILLRACE_JWT_AUDIENCE: read("MILLRACE_JWT_AUDIENCE"),
  };
  const claims = [
    read("MILLRACE_JWT_ORGANIZATION_CLAIM"),
    read("MILLRACE_JWT_USER_CLAIM"),
    read("MILLRACE_JWT_ABILITIES_CLAIM"),
  ] as const;
  if (faults.length > before) return null;
  if ([...Object.values(needed), ...claims].every((value) => value === undefined)) return null;
  for (const [name, value] of Object.entries(needed)) {
    if (value !== undefined) continue;
    const { allowed } = VARIABLES[name as Name];
    faults.push(`${name} is not set, but others of MILLRACE_JWT_* are; allowed: ${allowed}`);
  }
  const [organizationClaim = "organization", userClaim = "sub", abilitiesClaim = null] = claims;
  return {
    issuer: needed.MILLRACE_JWT_ISSUER ?? "",
    jwksUrl: needed.MILLRACE_JWT_JWKS_URL ?? "",
    audience: needed.MILLRACE_JWT_AUDIENCE ?? "",
    organizationClaim,
    userClaim,
    abilitiesClaim,
  };
};

/** @throws ConfigFault with every fault at once */
export const loadConfig = (env: Environment): ServerConfig => {
  const from = reading(env);
  const dataDir = dataDirectory(from);
  const [url, mysql] = [from.read("MILLRACE_DATABASE_URL"), mysqlUrl(from)];
  if (url !== undefined && mysql !== null) {
    from.faults.push("MILLRACE_DATABASE_URL is set, and so is MYSQL_*; allowed: one of the two");
  }
  const metrics = from.read("MILLRACE_METRICS_LISTEN");
  const config: ServerConfig = {
    databaseUrl: (url ?? mysql ?? `sqlite:${dataDir}/millrace.db`).replace(/^mariadb:/, "mysql:"),
    development: url === undefined && mysql === null,
    dataDir,
    listen: from.read("MILLRACE_LISTEN") ?? { host: "127.0.0.1", port: 7410 },
    trustedProxies: from.read("MILLRACE_TRUSTED_PROXIES") ?? [],
    internalListen: from.read("MILLRACE_INTERNAL_LISTEN") ?? { host: "127.0.0.1", port: 7411 },
    internalUrl: from.read("MILLRACE_INTERNAL_URL") ?? null,
    serverId: from.read("MILLRACE_SERVER_ID") ?? null,
    metricsListen: metrics === undefined ? { host: "127.0.0.1", port: 9464 } : metrics,
    typesDir: from.read("MILLRACE_TYPES_DIR") ?? null,
    typesOrganization: from.read("MILLRACE_TYPES_ORGANIZATION") ?? "dev",
    logLevel: from.read("MILLRACE_LOG_LEVEL") ?? "info",
    drainMs: (from.read("MILLRACE_DRAIN_SECONDS") ?? 10) * 1_000,
    callbacks: {
      receivers: from.read("MILLRACE_CALLBACK_ALLOW") ?? PUBLIC_RECEIVERS,
      atOnce: from.read("MILLRACE_CALLBACKS_AT_ONCE") ?? 64,
      atOncePerReceiver: from.read("MILLRACE_CALLBACKS_PER_RECEIVER") ?? 4,
    },
    outsideIssuer: outsideIssuer(from),
    otel: readOtel(env, from.faults),
  };
  if (from.faults.length > 0) throw new ConfigFault(from.faults);
  return config;
};

/** The name by which a server is known to the others, and finds its own leases again. */
export const serverIdOf = (config: ServerConfig, internalPort: number): string =>
  config.serverId ?? `${hostname()}-${internalPort}`;
