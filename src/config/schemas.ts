import { resolve } from "node:path";

import { z } from "zod";

import { type Networks, parseNetworks } from "../outgoing/networks.ts";
import { parseReceivers, type Receivers } from "../outgoing/receivers.ts";
import type { Name } from "./variables.ts";

export type Address = { readonly host: string; readonly port: number };

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.number().max(65_535));

const address = z.string().transform((text, context): Address => {
  const [, host, digits] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})$/.exec(text) ?? [];
  const parsed = port.safeParse(digits);
  if (host === undefined || !parsed.success) {
    context.addIssue("not an address");
    return z.NEVER;
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: parsed.data };
});

const origin = z
  .url({ protocol: /^https?$/ })
  .refine((text) => new URL(text).pathname === "/" && new URL(text).search === "")
  .transform((text) => new URL(text).origin);

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whoever can change these keys on their way can sign for everybody. */
const keysUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => text.startsWith("https:") || LOOPBACK.has(new URL(text).hostname));

const networks = z.string().transform((text, context): Networks => {
  const parsed = parseNetworks(text);
  if (parsed !== null) return parsed;
  context.addIssue("not a list of networks");
  return z.NEVER;
});

const receivers = z.string().transform((text, context): Receivers => {
  const parsed = parseReceivers(text);
  if (parsed !== null) return parsed;
  context.addIssue("not a list of receivers");
  return z.NEVER;
});

const wholeNumber = (most: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(most));

/** How each variable is read. */
export const SCHEMAS = {
  MILLRACE_DATABASE_URL: z.string().regex(/^(sqlite:.+|(mysql|mariadb):\/\/[^/]+\/[^/]+)$/),
  MYSQL_HOST: z.string(),
  MYSQL_PORT: port.pipe(z.number().min(1)),
  MYSQL_USER: z.string(),
  MYSQL_PASSWORD: z.string(),
  MYSQL_DATABASE: z.string(),
  MILLRACE_DATA_DIR: z.string(),
  MILLRACE_LISTEN: address,
  MILLRACE_TRUSTED_PROXIES: networks,
  MILLRACE_INTERNAL_LISTEN: address,
  MILLRACE_INTERNAL_URL: origin,
  MILLRACE_SERVER_ID: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  MILLRACE_METRICS_LISTEN: z
    .literal("off")
    .transform(() => null)
    .or(address),
  MILLRACE_TYPES_DIR: z.string().transform((text) => resolve(text)),
  MILLRACE_TYPES_ORGANIZATION: z.string(),
  MILLRACE_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]),
  MILLRACE_JWT_ISSUER: z.string(),
  MILLRACE_JWT_JWKS_URL: keysUrl,
  MILLRACE_JWT_AUDIENCE: z.string(),
  MILLRACE_JWT_ORGANIZATION_CLAIM: z.string(),
  MILLRACE_JWT_USER_CLAIM: z.string(),
  MILLRACE_JWT_ABILITIES_CLAIM: z.string(),
  MILLRACE_CALLBACK_ALLOW: receivers,
  MILLRACE_CALLBACKS_AT_ONCE: wholeNumber(10_000),
  MILLRACE_CALLBACKS_PER_RECEIVER: wholeNumber(1_000),
  MILLRACE_DRAIN_SECONDS: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().max(300)),
} as const satisfies Record<Name, z.ZodType>;
