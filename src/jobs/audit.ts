import type { JsonText, Millis } from "./job.ts";
import type { OrganizationId, UserId } from "./ids.ts";

/** Who did something: what the audit log keeps of a caller (row C7). */
export type Actor = {
  /** Empty for whoever is no user: an operator, a runner, a token of the organization itself. */
  readonly userId: UserId | "";
  /** The public part of the token; `jwt` for an outside issuer's, `job:<id>#<attempt>` for a job's own. */
  readonly tokenId: string;
  /** The network address that the call came from; empty if it came from inside. */
  readonly address: string;
};

/** What this server does by itself, such as firing a schedule. */
export const SERVER: Actor = { userId: "", tokenId: "", address: "" };

/** Every change that the audit log tells of: `<what>.<verb>`. */
export const AUDIT_ACTIONS = [
  "job.submit",
  "job.cancel",
  "job.retry",
  "job.release",
  "job.update",
  "job.revoke-token",
  "workflow.submit",
  "workflow.cancel",
  "workflow.retry",
  "hook.create",
  "hook.update",
  "hook.pause",
  "hook.resume",
  "hook.delete",
  "hook.test",
  "delivery.redeliver",
  "signing-secret.rotate",
  "metric-grant.put",
  "metric-grant.delete",
  "organization.create",
  "organization.update",
  "user.create",
  "user.update",
  "user.set-attribute",
  "user.remove-attribute",
  "token.create",
  "token.revoke",
  "type.put",
  "type.enable",
  "type.disable",
  "type.resume",
  "schedule.create",
  "schedule.update",
  "schedule.pause",
  "schedule.resume",
  "schedule.trigger",
  "schedule.delete",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One line of the audit log. */
export type AuditRow = {
  readonly organizationId: OrganizationId;
  /** UUIDv7: by time. */
  readonly id: string;
  readonly at: Millis;
  readonly actor: Actor;
  readonly action: AuditAction;
  /** The id of what was changed: of the job, the user, the token; the name of the type. */
  readonly subject: string;
  /** What changed, as a JSON object; null if the action says it all. Never payloads or secrets. */
  readonly details: JsonText | null;
};
