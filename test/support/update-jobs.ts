import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";

import type {
  JobUpdateService,
  UpdateJobsRequestSchema,
  UpdateJobsResponse,
} from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";

type Request = MessageInitShape<typeof UpdateJobsRequestSchema>;

async function* only(request: Request): AsyncGenerator<Request> {
  yield await Promise.resolve(request);
}

/** One batch of reports in a stream of its own. */
export const updateJobs = async (
  client: Pick<Client<typeof JobUpdateService>, "updateJobs">,
  request: Request,
): Promise<UpdateJobsResponse> => {
  const [answer, ...others] = await Array.fromAsync(client.updateJobs(only(request)));
  if (answer === undefined || others.length > 0) throw new Error("one request, one answer");
  return answer;
};
