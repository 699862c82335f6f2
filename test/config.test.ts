import { describe, expect, it } from "vitest";

import { ConfigFault, type Environment, loadConfig } from "../src/config.ts";

const faultsOf = (env: Environment): readonly string[] => {
  try {
    loadConfig(env);
  } catch (caught) {
    if (caught instanceof ConfigFault) return caught.faults;
    throw caught;
  }
  return [];
};

describe("the configuration", () => {
  it("of nothing is an embedded database for development on the loopback address", () => {
    const config = loadConfig({ MILLRACE_DATA_DIR: "/data" });
    expect(config).toMatchObject({
      databaseUrl: "sqlite:/data/millrace.db",
      development: true,
      listen: { host: "127.0.0.1", port: 7410 },
      trustedProxies: [],
      internalListen: { host: "127.0.0.1", port: 7411 },
      metricsListen: { host: "127.0.0.1", port: 9464 },
      logLevel: "info",
      otel: { sent: { TRACES: null, METRICS: null, LOGS: null } },
    });
  });

  it("takes JWTs of an issuer that is named as a whole", () => {
    const named = {
      MILLRACE_JWT_ISSUER: "https://issuer.example",
      MILLRACE_JWT_JWKS_URL: "https://issuer.example/keys",
      MILLRACE_JWT_AUDIENCE: "millrace",
    };
    expect(loadConfig({}).outsideIssuer).toBeNull();
    expect(loadConfig({ ...named, MILLRACE_JWT_USER_CLAIM: "email" }).outsideIssuer).toEqual({
      issuer: "https://issuer.example",
      jwksUrl: "https://issuer.example/keys",
      audience: "millrace",
      organizationClaim: "organization",
      userClaim: "email",
      abilitiesClaim: null,
    });
    expect(faultsOf({ MILLRACE_JWT_USER_CLAIM: "email" })).toEqual([
      expect.stringMatching(/^MILLRACE_JWT_ISSUER is not set, but others of MILLRACE_JWT_\* are/),
      expect.stringMatching(/^MILLRACE_JWT_JWKS_URL is not set/),
      expect.stringMatching(/^MILLRACE_JWT_AUDIENCE is not set/),
    ]);
    expect(faultsOf({ ...named, MILLRACE_JWT_JWKS_URL: "http://issuer.example/keys" })).toEqual([
      expect.stringMatching(/^MILLRACE_JWT_JWKS_URL is "http.*allowed: an https URL/),
    ]);
  });

  it("takes an empty variable for one that is not set", () => {
    expect(loadConfig({ MILLRACE_LISTEN: "", MYSQL_HOST: "" })).toEqual(loadConfig({}));
  });

  it("makes a URL of the MYSQL_* family, whatever is in the password", () => {
    const config = loadConfig({
      MYSQL_HOST: "db",
      MYSQL_USER: "me",
      MYSQL_PASSWORD: "p@ss:/w",
      MYSQL_DATABASE: "jobs",
    });
    expect(new URL(config.databaseUrl).hostname).toBe("db");
    expect(decodeURIComponent(new URL(config.databaseUrl).password)).toBe("p@ss:/w");
    expect(config.databaseUrl).toMatch(/@db:3306\/jobs$/);
    expect(config.development).toBe(false);
  });

  it("tells every fault at once, with the variable, the value and what is allowed", () => {
    const faults = faultsOf({
      MILLRACE_LISTEN: "nowhere",
      MILLRACE_LOG_LEVEL: "loud",
      MILLRACE_DRAIN_SECONDS: "-1",
      MYSQL_USER: "me",
    });
    expect(faults).toEqual([
      expect.stringMatching(/^MYSQL_HOST is not set/),
      expect.stringMatching(/^MYSQL_DATABASE is not set/),
      expect.stringMatching(/^MILLRACE_LISTEN is "nowhere"; allowed: host:port/),
      expect.stringMatching(/^MILLRACE_LOG_LEVEL is "loud"; allowed: debug, info/),
      expect.stringMatching(/^MILLRACE_DRAIN_SECONDS is "-1"; allowed: a number from 0 to 300/),
    ]);
  });

  it("never shows a secret", () => {
    const [fault] = faultsOf({ MILLRACE_DATABASE_URL: "postgres://me:hunter2@db/jobs" });
    expect(fault).toContain("MILLRACE_DATABASE_URL");
    expect(fault).not.toContain("hunter2");
  });

  it("refuses two databases", () => {
    const mysql = { MYSQL_HOST: "db", MYSQL_USER: "me", MYSQL_DATABASE: "jobs" };
    expect(faultsOf({ ...mysql, MILLRACE_DATABASE_URL: "sqlite:x" })).toEqual([
      expect.stringContaining("one of the two"),
    ]);
  });

  it("knows addresses of IPv6, and how to leave metrics out", () => {
    const config = loadConfig({ MILLRACE_LISTEN: "[::1]:0", MILLRACE_METRICS_LISTEN: "off" });
    expect(config.listen).toEqual({ host: "::1", port: 0 });
    expect(config.metricsListen).toBeNull();
    expect(faultsOf({ MILLRACE_LISTEN: "127.0.0.1:70000" })).toHaveLength(1);
  });
});
