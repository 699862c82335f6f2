import type { ConnectRouter } from "@connectrpc/connect";

import { MetricsService } from "../../gen/millrace/v1/metrics_service_pb.ts";
import { type MetricsApi, openMetricsCall } from "./api.ts";
import { deleteMetricGrant, listMetricGrants, putMetricGrant } from "./grants.ts";
import { getCurrentMetrics, queryMetrics } from "./read.ts";

/** millrace.v1.MetricsService. Never hand options to `service`: they would replace gate and interceptors. */
export const metricsServiceRoutes = (router: ConnectRouter, api: MetricsApi): void => {
  const open = openMetricsCall;
  router.service(MetricsService, {
    queryMetrics: async (request, context) => await queryMetrics(open(api, context), request),
    getCurrentMetrics: async (request, context) =>
      await getCurrentMetrics(open(api, context), request),
    putMetricGrant: async (request, context) => await putMetricGrant(open(api, context), request),
    listMetricGrants: async (_request, context) => await listMetricGrants(open(api, context)),
    deleteMetricGrant: async (request, context) =>
      await deleteMetricGrant(open(api, context), request),
  });
};
