import type { ConnectRouter } from "@connectrpc/connect";

import { JobTypeService } from "../../gen/millrace/v1/job_type_service_pb.ts";
import { type JobTypeApi, openCall } from "./api.ts";
import { putJobType, resumeJobType, setJobTypeEnabled } from "./change.ts";
import { getJobType, listJobTypes, listJobTypeVersions } from "./read.ts";

/** millrace.v1.JobTypeService. Never hand options to `service`: they would replace gate and interceptors. */
export const jobTypeServiceRoutes = (router: ConnectRouter, api: JobTypeApi): void => {
  router.service(JobTypeService, {
    putJobType: async (request, context) => await putJobType(openCall(api, context), request),
    getJobType: async (request, context) => await getJobType(openCall(api, context), request),
    listJobTypes: async (request, context) => await listJobTypes(openCall(api, context), request),
    listJobTypeVersions: async (request, context) =>
      await listJobTypeVersions(openCall(api, context), request),
    setJobTypeEnabled: async (request, context) =>
      await setJobTypeEnabled(openCall(api, context), request),
    resumeJobType: async (request, context) => await resumeJobType(openCall(api, context), request),
  });
};
