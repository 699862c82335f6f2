import type { ConnectRouter } from "@connectrpc/connect";

import { JobService } from "../../gen/millrace/v1/job_service_pb.ts";
import { type JobApi, openCall } from "./api.ts";
import { cancelJob, retryJob } from "./change.ts";
import { listJobs } from "./list.ts";
import { getJob, getJobInput, getJobResult, listJobAttempts, listJobOutput } from "./read.ts";
import { submitJob, submitJobs } from "./submit.ts";
import { runJob, waitJob } from "./wait.ts";
import { watchJob } from "./watch-job.ts";
import { watchJobs } from "./watch-jobs.ts";
import {
  cancelWorkflow,
  getWorkflow,
  listWorkflows,
  retryWorkflow,
  submitWorkflow,
} from "./workflows.ts";

/** millrace.v1.JobService. Never hand options to `service`: they would replace gate and interceptors. */
export const jobServiceRoutes = (router: ConnectRouter, api: JobApi): void => {
  router.service(JobService, {
    submitJob: async (request, context) => await submitJob(openCall(api, context), request),
    submitJobs: async (request, context) => await submitJobs(openCall(api, context), request),
    runJob: async (request, context) => await runJob(openCall(api, context), request),
    getJob: async (request, context) => await getJob(openCall(api, context), request),
    listJobs: async (request, context) => await listJobs(openCall(api, context), request),
    getJobInput: async (request, context) => await getJobInput(openCall(api, context), request),
    getJobResult: async (request, context) => await getJobResult(openCall(api, context), request),
    cancelJob: async (request, context) => await cancelJob(openCall(api, context), request),
    retryJob: async (request, context) => await retryJob(openCall(api, context), request),
    listJobOutput: async (request, context) => await listJobOutput(openCall(api, context), request),
    listJobAttempts: async (request, context) =>
      await listJobAttempts(openCall(api, context), request),
    watchJob: (request, context) => watchJob(openCall(api, context), request),
    watchJobs: (request, context) => watchJobs(openCall(api, context), request),
    waitJob: async (request, context) => await waitJob(openCall(api, context), request),
    submitWorkflow: async (request, context) =>
      await submitWorkflow(openCall(api, context), request),
    getWorkflow: async (request, context) => await getWorkflow(openCall(api, context), request),
    listWorkflows: async (request, context) => await listWorkflows(openCall(api, context), request),
    cancelWorkflow: async (request, context) =>
      await cancelWorkflow(openCall(api, context), request),
    retryWorkflow: async (request, context) => await retryWorkflow(openCall(api, context), request),
  });
};
