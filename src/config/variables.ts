/** For people: what a variable may be, and what is used without it. */
export type Variable = {
  /** What is used when it is not set, for people. */
  readonly fallback: string;
  readonly allowed: string;
  /** Never shown in a message. */
  readonly secret?: true;
};

/** Every variable of the server. docs/configuration.md is tested against them. */
export const VARIABLES = {
  MILLRACE_DATABASE_URL: {
    fallback: "sqlite:<MILLRACE_DATA_DIR>/millrace.db",
    allowed: "sqlite:<path>, mysql://user:password@host:port/database, or mariadb://…",
    secret: true,
  },
  MYSQL_HOST: { fallback: "none", allowed: "a host name or address" },
  MYSQL_PORT: { fallback: "3306", allowed: "a port from 1 to 65535" },
  MYSQL_USER: { fallback: "none; needed with MYSQL_HOST", allowed: "a user name" },
  MYSQL_PASSWORD: { fallback: "empty", allowed: "any text", secret: true },
  MYSQL_DATABASE: { fallback: "none; needed with MYSQL_HOST", allowed: "a database name" },
  MILLRACE_DATA_DIR: { fallback: "./.millrace", allowed: "a path" },
  MILLRACE_LISTEN: { fallback: "127.0.0.1:7410", allowed: "host:port; port 0 takes a free one" },
  MILLRACE_TRUSTED_PROXIES: {
    fallback: "none",
    allowed: "addresses and networks such as 10.0.0.0/8, with commas between them",
  },
  MILLRACE_INTERNAL_LISTEN: {
    fallback: "127.0.0.1:7411",
    allowed: "host:port; port 0 takes a free one",
  },
  MILLRACE_INTERNAL_URL: {
    fallback: "http:// and the address of MILLRACE_INTERNAL_LISTEN",
    allowed: "an http or https URL without a path",
  },
  MILLRACE_SERVER_ID: {
    fallback: "<host name>-<internal port>",
    allowed: "1 to 100 of A-Z a-z 0-9 . _ -",
  },
  MILLRACE_METRICS_LISTEN: { fallback: "127.0.0.1:9464", allowed: "host:port, or off" },
  MILLRACE_TYPES_DIR: { fallback: "none", allowed: "a path" },
  MILLRACE_TYPES_ORGANIZATION: { fallback: "dev", allowed: "an organization's name or id" },
  MILLRACE_LOG_LEVEL: { fallback: "info", allowed: "debug, info, warn, error or silent" },
  MILLRACE_JWT_ISSUER: { fallback: "no JWTs are taken", allowed: "the `iss` of the issuer" },
  MILLRACE_JWT_JWKS_URL: {
    fallback: "none; needed with MILLRACE_JWT_ISSUER",
    allowed: "an https URL, or http on this machine",
  },
  MILLRACE_JWT_AUDIENCE: {
    fallback: "none; needed with MILLRACE_JWT_ISSUER",
    allowed: "the `aud` that names this service",
  },
  MILLRACE_JWT_ORGANIZATION_CLAIM: { fallback: "organization", allowed: "the name of a claim" },
  MILLRACE_JWT_USER_CLAIM: { fallback: "sub", allowed: "the name of a claim" },
  MILLRACE_JWT_ABILITIES_CLAIM: {
    fallback: "none: a JWT may what its user may",
    allowed: "the name of a claim",
  },
  MILLRACE_CALLBACK_ALLOW: {
    fallback: "public receivers only",
    allowed: "host names, addresses and networks such as 10.0.0.0/8, with commas between them",
  },
  MILLRACE_CALLBACKS_AT_ONCE: { fallback: "64", allowed: "a whole number from 1 to 10000" },
  MILLRACE_CALLBACKS_PER_RECEIVER: { fallback: "4", allowed: "a whole number from 1 to 1000" },
  MILLRACE_DRAIN_SECONDS: { fallback: "10", allowed: "a number from 0 to 300" },
} as const satisfies Record<string, Variable>;

export type Name = keyof typeof VARIABLES;
