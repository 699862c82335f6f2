import type { DeliveryRow, DeliveryTryRow, SigningSecretRow } from "../../jobs/delivery.ts";
import type { DeliveryId, HookId, JobId, OrganizationId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import type { DeliveryKey } from "../store.ts";
import { DELIVERY_STATES } from "./codes.ts";
import { hooksOf } from "./job.ts";
import { binding, type Column, numberOf, numberOrNull, textOf } from "./column.ts";

const KEY: readonly Column<DeliveryKey>[] = [
  ["organization_id", (delivery) => delivery.organizationId],
  ["id", (delivery) => delivery.id],
];

export const UPSERT_DELIVERY = binding<DeliveryRow>("deliveries", "upsert", KEY, [
  ["state", (delivery) => DELIVERY_STATES.numbers[delivery.state]],
  ["event", (delivery) => delivery.event],
  ["job_id", (delivery) => delivery.jobId],
  ["attempt", (delivery) => delivery.attempt],
  ["hook_id", (delivery) => delivery.hookId],
  ["url", (delivery) => delivery.url],
  ["origin", (delivery) => delivery.origin],
  ["job_type", (delivery) => delivery.jobType],
  ["submitted_job_id", (delivery) => delivery.submittedJobId],
  ["hook_chain", (delivery) => delivery.hookChain.join(" ")],
  ["body", (delivery) => delivery.body],
  ["schedule_tries", (delivery) => delivery.scheduleTries],
  ["tries", (delivery) => delivery.tries],
  ["created_at", (delivery) => delivery.createdAt],
  ["next_try_at", (delivery) => delivery.nextTryAt],
  ["ended_at", (delivery) => delivery.endedAt],
  ["last_error", (delivery) => delivery.lastError],
  ["purge_at", (delivery) => delivery.purgeAt],
]);

export const DELETE_DELIVERY = binding("deliveries", "delete", KEY, []);

export const deliveryOf = (row: DatabaseRow): DeliveryRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id") as DeliveryId,
  state: DELIVERY_STATES.nameOf(numberOf(row, "state")),
  event: textOf(row, "event"),
  jobId: textOf(row, "job_id") as JobId | "",
  attempt: numberOf(row, "attempt"),
  hookId: textOf(row, "hook_id") as HookId | "",
  url: textOf(row, "url"),
  origin: textOf(row, "origin"),
  jobType: textOf(row, "job_type"),
  submittedJobId: textOf(row, "submitted_job_id") as JobId | "",
  hookChain: hooksOf(textOf(row, "hook_chain")),
  body: textOf(row, "body"),
  scheduleTries: numberOf(row, "schedule_tries"),
  tries: numberOf(row, "tries"),
  createdAt: numberOf(row, "created_at"),
  nextTryAt: numberOrNull(row, "next_try_at"),
  endedAt: numberOrNull(row, "ended_at"),
  lastError: textOf(row, "last_error"),
  purgeAt: numberOrNull(row, "purge_at"),
});

/** A try that is there already stays as it is. */
export const INSERT_TRY = binding<DeliveryTryRow>(
  "delivery_tries",
  "insert-missing",
  [
    ["organization_id", (one) => one.organizationId],
    ["delivery_id", (one) => one.deliveryId],
    ["try", (one) => one.try],
  ],
  [
    ["started_at", (one) => one.startedAt],
    ["duration_ms", (one) => one.durationMs],
    ["status", (one) => one.status],
    ["error", (one) => one.error],
  ],
);

export const tryOf = (row: DatabaseRow): DeliveryTryRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  deliveryId: textOf(row, "delivery_id") as DeliveryId,
  try: numberOf(row, "try"),
  startedAt: numberOf(row, "started_at"),
  durationMs: numberOf(row, "duration_ms"),
  status: numberOf(row, "status"),
  error: textOf(row, "error"),
});

export const DELETE_TRIES = binding<DeliveryKey>(
  "delivery_tries",
  "delete",
  [
    ["organization_id", (delivery) => delivery.organizationId],
    ["delivery_id", (delivery) => delivery.id],
  ],
  [],
);

const SECRET_KEY: readonly Column<SigningSecretRow>[] = [
  ["organization_id", (secret) => secret.organizationId],
  ["hook_id", (secret) => secret.hookId],
  ["id", (secret) => secret.id],
];

export const UPSERT_SIGNING_SECRET = binding("signing_secrets", "upsert", SECRET_KEY, [
  ["secret", (secret) => secret.secret],
  ["created_at", (secret) => secret.createdAt],
  ["expires_at", (secret) => secret.expiresAt],
]);

export const DELETE_SIGNING_SECRET = binding("signing_secrets", "delete", SECRET_KEY, []);

export const signingSecretOf = (row: DatabaseRow): SigningSecretRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  hookId: textOf(row, "hook_id") as HookId | "",
  id: textOf(row, "id"),
  secret: textOf(row, "secret"),
  createdAt: numberOf(row, "created_at"),
  expiresAt: numberOrNull(row, "expires_at"),
});
