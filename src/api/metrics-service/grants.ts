import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  DeleteMetricGrantRequest,
  DeleteMetricGrantResponseSchema,
  ListMetricGrantsResponseSchema,
  PutMetricGrantRequest,
  PutMetricGrantResponseSchema,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import type { AuditAction } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import { isUuidV7, type UserId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { type MetricGrantRow, METRICS } from "../../jobs/metric.ts";
import type { AuditLine } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkMetrics, checkTypes, toGrant } from "../convert/metrics.ts";
import { lineOf } from "../scope.ts";
import { userNotFound } from "../user-service/users.ts";
import type { MetricsCall } from "./api.ts";

/** What the audit log calls the grant of everybody. */
const EVERYBODY = "everybody";

const lineFor = (
  { api, caller, by, place }: MetricsCall,
  action: AuditAction,
  userId: string,
  details: object | null,
): AuditLine =>
  lineOf({ api: api.tenants, caller, by }, place, {
    action,
    subject: userId === "" ? EVERYBODY : userId,
    details,
  });

/** A user of the organization, or everybody. @throws JobFault USER_NOT_FOUND */
const requireUser = async ({ api, place }: MetricsCall, id: string): Promise<UserId | ""> => {
  if (id === "") return "";
  const found = isUuidV7(id)
    ? await api.tenants.identity.findUser(place.organizationId, id as UserId)
    : null;
  if (found === null) throw userNotFound(id);
  return found.id;
};

export const putMetricGrant = async (
  call: MetricsCall,
  { grant }: PutMetricGrantRequest,
): Promise<MessageInitShape<typeof PutMetricGrantResponseSchema>> => {
  const { api, place, caller } = call;
  const faults = collectFaults();
  if (grant === undefined) faults.add("grant", "is missing.");
  const inside = faults.inside("grant.");
  const metrics = grant === undefined ? [] : checkMetrics(inside, grant.metrics, METRICS);
  const types = checkTypes(inside, grant?.types ?? []);
  faults.throwIfAny();
  const row: MetricGrantRow = {
    organizationId: place.organizationId,
    userId: await requireUser(call, grant?.userId ?? ""),
    metrics,
    types,
    createdBy: caller.userId,
    createdAt: api.tenants.clock.now(),
  };
  const line = lineFor(call, "metric-grant.put", row.userId, { metrics, types });
  if (!(await api.metrics.putGrant(place, row, LIMITS.metricGrants, line))) {
    throw new JobFault(
      "TOO_MANY_METRIC_GRANTS",
      `The organization has ${LIMITS.metricGrants} grants, which is the most. Delete some.`,
      { metadata: { limit: `${LIMITS.metricGrants}` } },
    );
  }
  api.grants.changed();
  return { grant: toGrant(row) };
};

export const listMetricGrants = async ({
  api,
  place,
}: MetricsCall): Promise<MessageInitShape<typeof ListMetricGrantsResponseSchema>> => ({
  grants: (await api.metrics.grants(place)).map(toGrant),
});

export const deleteMetricGrant = async (
  call: MetricsCall,
  { userId }: DeleteMetricGrantRequest,
): Promise<MessageInitShape<typeof DeleteMetricGrantResponseSchema>> => {
  const { api, place } = call;
  const id = userId === "" || isUuidV7(userId) ? (userId as UserId | "") : null;
  if (id !== null) {
    const line = lineFor(call, "metric-grant.delete", id, null);
    await api.metrics.removeGrant(place, id, line);
    api.grants.changed();
  }
  return {};
};
