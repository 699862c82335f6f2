import { z } from "zod";

import { isOrganizationId, NO_ORGANIZATION_ID } from "../organization-id.ts";
import { isHeaderName, isHeaderValue, isReserved } from "./header-rules.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { coversOrigin, parseOriginPattern } from "./origin-pattern.ts";
import { readSecretFile } from "./secret-file.ts";

/** Where scripts may go, and the secrets that the broker puts in for them. */
const organizations = z
  .array(z.string().refine(isOrganizationId, NO_ORGANIZATION_ID))
  .min(1)
  .optional();
const timeout = z
  .number()
  .positive()
  .max(300)
  .default(EGRESS_LIMITS.wholeMs / 1_000);
const responseBytes = z
  .int()
  .min(1)
  .max(EGRESS_LIMITS.mostResponseBytes)
  .default(EGRESS_LIMITS.responseBytes);

const baseUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url === null || !/^https?:$/.test(url.protocol) || !plain) {
    context.addIssue("must be an http or https URL without user, query and fragment");
    return z.NEVER;
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
});

const originPattern = z.string().transform((text, context) => {
  const parsed = parseOriginPattern(text);
  if (typeof parsed !== "string") return parsed;
  context.addIssue(parsed);
  return z.NEVER;
});

const headerName = z
  .string()
  .refine(isHeaderName, "is not the name of a header")
  .refine((name) => !isReserved(name), "is set by the runner");

const upstream = z
  .strictObject({
    url: baseUrl,
    token: z.enum(["job", "none"]).default("none"),
    organizations,
    timeout_seconds: timeout,
    max_response_bytes: responseBytes,
    headers: z.record(headerName, z.string().refine(isHeaderValue, "is not one line")).default({}),
  })
  .refine(({ token, headers }) => token === "none" || !hasHeader(headers, "authorization"), {
    path: ["headers"],
    message: "token: job sets the header authorization already",
  });

const hasHeader = (headers: Readonly<Record<string, string>>, name: string): boolean =>
  Object.keys(headers).some((header) => header.toLowerCase() === name);

/** In `upstream://core/` and in metrics. */
const upstreamName = z.string().regex(/^[a-z][a-z0-9_-]{0,49}$/);
/** In `ctx.secrets.stripe_key`. */
const secretName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,49}$/);

/** Shorter ones would be found, and taken out, in texts that have nothing to do with them. */
const SECRET_LENGTH = { min: 8, max: 8_192 } as const;

const secret = z
  .strictObject({
    file: z.string().min(1).optional(),
    value: z.string().optional(),
    organizations,
    upstreams: z.array(z.string()).default([]),
    origins: z.array(originPattern).default([]),
  })
  .transform(({ file, value, ...rest }, context) => {
    if ((file === undefined) === (value === undefined)) {
      context.addIssue("needs either file or value");
      return z.NEVER;
    }
    const read = file === undefined ? { value: value ?? "", loose: false } : readSecretFile(file);
    if (read === null) {
      context.addIssue({ code: "custom", path: ["file"], message: `${file} cannot be read` });
      return z.NEVER;
    }
    const { length } = read.value;
    if (length < SECRET_LENGTH.min || length > SECRET_LENGTH.max) {
      const { min, max } = SECRET_LENGTH;
      context.addIssue(`has ${length} characters; ${min} to ${max} are allowed`);
      return z.NEVER;
    }
    return { ...rest, ...read };
  });

export const upstreams = z.record(upstreamName, upstream).default({});
export const secrets = z.record(secretName, secret).default({});
export const egress = z
  .strictObject({
    allow: z.array(originPattern).min(1),
    organizations,
    timeout_seconds: timeout,
    max_response_bytes: responseBytes,
  })
  .optional();

const sections = z.object({ upstreams, egress, secrets });
export type EgressSettings = z.infer<typeof sections>;

/** `${secrets.stripe_key}` in a header of an upstream. */
export const SECRET_REFERENCE = /\$\{secrets\.([^}]*)\}/g;

/** What the sections say of each other. */
export const checkEgress = (settings: EgressSettings, context: z.RefinementCtx): void => {
  const fault = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  for (const [name, { headers }] of Object.entries(settings.upstreams)) {
    for (const [header, value] of Object.entries(headers)) {
      for (const [, wanted = ""] of value.matchAll(SECRET_REFERENCE)) {
        const found = Object.hasOwn(settings.secrets, wanted)
          ? settings.secrets[wanted]
          : undefined;
        const path = ["upstreams", name, "headers", header];
        if (found === undefined) fault(path, `there is no secret ${wanted}`);
        else if (!found.upstreams.includes(name)) {
          fault(path, `the secret ${wanted} does not name the upstream ${name}`);
        } else if (!isHeaderValue(found.value)) fault(path, `the secret ${wanted} is not one line`);
      }
    }
  }
  for (const [name, { upstreams: named, origins }] of Object.entries(settings.secrets)) {
    const path = ["secrets", name];
    if (named.length + origins.length === 0) fault(path, "needs upstreams or origins to go to");
    for (const [index, one] of named.entries()) {
      if (Object.hasOwn(settings.upstreams, one)) continue;
      fault([...path, "upstreams", index], `there is no upstream ${one}`);
    }
    for (const [index, origin] of origins.entries()) {
      if (settings.egress?.allow.some((allowed) => coversOrigin(allowed, origin)) === true)
        continue;
      fault([...path, "origins", index], `${origin.text} is not in egress.allow`);
    }
  }
};
