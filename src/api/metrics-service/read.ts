import type { MessageInitShape } from "@bufbuild/protobuf";

import {
  type GetCurrentMetricsRequest,
  type GetCurrentMetricsResponseSchema,
  type QueryMetricsRequest,
  type QueryMetricsResponseSchema,
  Resolution as WireResolution,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import { type MetricQuery, queryPoints } from "../../metrics/query.ts";
import { currentCounts } from "../../shard/commands/metrics.ts";
import type { Place } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkQuery, checkTypes, toCurrent, toSeries } from "../convert/metrics.ts";
import { type MetricsApi, type MetricsCall, reachOf, requireReach } from "./api.ts";

type QueryAnswer = MessageInitShape<typeof QueryMetricsResponseSchema>;
type CurrentAnswer = MessageInitShape<typeof GetCurrentMetricsResponseSchema>;

/** @throws JobFault INVALID_ARGUMENT */
export const checkedQuery = (
  { tenants }: Pick<MetricsApi, "tenants">,
  request: QueryMetricsRequest,
): MetricQuery => {
  const faults = collectFaults();
  const query = checkQuery(faults, request, tenants.clock.now());
  faults.throwIfAny();
  if (query === null) throw new Error("no query and no fault");
  return query;
};

export const answerQuery = async (
  { metrics }: Pick<MetricsApi, "metrics">,
  place: Place,
  query: MetricQuery,
): Promise<QueryAnswer> => ({
  series: (await queryPoints(metrics, place, query)).map(toSeries),
  resolution: WireResolution[query.span.resolution],
});

/** @throws JobFault SHARD_UNAVAILABLE */
export const answerCurrent = async (
  { tenants }: Pick<MetricsApi, "tenants">,
  { organizationId }: Place,
  asked: { readonly types: readonly string[]; readonly byType: boolean },
): Promise<CurrentAnswer> => {
  const owner = tenants.router.ownerOf(organizationId);
  const { types, byType } = asked;
  const { at, counts } = await owner.perform(currentCounts(organizationId, types, byType));
  return { metrics: counts.map((one) => toCurrent(one, at)) };
};

export const queryMetrics = async (
  call: MetricsCall,
  request: QueryMetricsRequest,
): Promise<QueryAnswer> => {
  const query = checkedQuery(call.api, request);
  requireReach(await reachOf(call), query.metrics, query.types);
  return await answerQuery(call.api, call.place, query);
};

export const getCurrentMetrics = async (
  call: MetricsCall,
  request: GetCurrentMetricsRequest,
): Promise<CurrentAnswer> => {
  const faults = collectFaults();
  const types = checkTypes(faults, request.types);
  faults.throwIfAny();
  requireReach(await reachOf(call), ["CURRENT"], types);
  return await answerCurrent(call.api, call.place, { types, byType: request.byType });
};
