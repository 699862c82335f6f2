import type { BreakerRow } from "../../jobs/breaker.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import { binding, numberOf, numberOrNull, textOf } from "./column.ts";

export const UPSERT_BREAKER = binding<BreakerRow>(
  "type_breakers",
  "upsert",
  [
    ["organization_id", (breaker) => breaker.organizationId],
    ["type", (breaker) => breaker.type],
  ],
  [
    ["failures", (breaker) => breaker.failures],
    ["trips", (breaker) => breaker.trips],
    ["opened_at", (breaker) => breaker.openedAt],
    ["retry_at", (breaker) => breaker.retryAt],
    ["reason", (breaker) => breaker.reason],
  ],
);

export const breakerOf = (row: DatabaseRow): BreakerRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  type: textOf(row, "type"),
  failures: numberOf(row, "failures"),
  trips: numberOf(row, "trips"),
  openedAt: numberOrNull(row, "opened_at"),
  retryAt: numberOrNull(row, "retry_at"),
  reason: textOf(row, "reason"),
});
