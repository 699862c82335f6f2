import { formsOf } from "../redaction.ts";
import type { Rules, Upstream } from "./destination.ts";
import type { Secret } from "./secrets.ts";
import { type EgressSettings, SECRET_REFERENCE } from "./settings.ts";

const headersOf = (
  headers: Readonly<Record<string, string>>,
  secrets: EgressSettings["secrets"],
): Upstream["headers"] =>
  Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    value.replaceAll(SECRET_REFERENCE, (_all, wanted: string) => secrets[wanted]?.value ?? ""),
  ]);

/** The checked settings, as the broker uses them. */
export const rulesOf = ({ upstreams, egress, secrets }: EgressSettings): Rules => ({
  upstreams: new Map(
    Object.entries(upstreams).map(([name, given]) => [
      name,
      {
        name,
        base: given.url,
        token: given.token,
        organizations: given.organizations,
        headers: headersOf(given.headers, secrets),
        wholeMs: given.timeout_seconds * 1_000,
        responseBytes: given.max_response_bytes,
      },
    ]),
  ),
  egress: egress && {
    allow: egress.allow,
    organizations: egress.organizations,
    wholeMs: egress.timeout_seconds * 1_000,
    responseBytes: egress.max_response_bytes,
  },
});

export const secretsFrom = ({ secrets }: EgressSettings): readonly Secret[] =>
  Object.entries(secrets).map(([name, { value, organizations, upstreams, origins }]) => ({
    name,
    value,
    organizations,
    upstreams,
    origins,
    forms: formsOf(value),
  }));

/** Whether a script can reach anything at all. */
export const isConfigured = ({ upstreams, egress }: EgressSettings): boolean =>
  egress !== undefined || Object.keys(upstreams).length > 0;
