import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  JobTypeSchema,
  JobTypeSpec,
  PutJobTypeRequest,
  PutJobTypeResponseSchema,
  ResumeJobTypeRequest,
  ResumeJobTypeResponseSchema,
  SetJobTypeEnabledRequest,
  SetJobTypeEnabledResponseSchema,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import type { PutOutcome } from "../../catalog/job-types.ts";
import type { Actor } from "../../jobs/audit.ts";
import type { Place } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkJobType } from "../convert/job-type.ts";
import { compileAhead } from "../convert/work.ts";
import { toJobType } from "../convert/job-type-view.ts";
import { resumeType } from "../../shard/commands/resume-type.ts";
import { actorOf, ownerOf } from "../job-service/api.ts";
import { checkedName, type JobTypeApi, type TypeCall, viewOf } from "./api.ts";

export type Putting = {
  readonly place: Place;
  readonly by: Actor;
  readonly validateOnly: boolean;
};

/**
 * Checks everything and puts it, for calls and for files alike.
 * @throws JobFault INVALID_ARGUMENT with the path of each fault
 */
export const putSpec = async (
  api: Pick<JobTypeApi, "schemas" | "scripts" | "types">,
  spec: JobTypeSpec | undefined,
  { place, by, validateOnly }: Putting,
): Promise<{
  readonly outcome: PutOutcome;
  readonly view: MessageInitShape<typeof JobTypeSchema>;
}> => {
  const faults = collectFaults();
  if (spec === undefined) faults.add("spec", "is missing.");
  faults.throwIfAny();
  if (spec === undefined) throw new Error("a fault was not thrown");
  const within = faults.inside("spec.");
  const { organizationId } = place;
  const compile = await compileAhead(
    spec.work.case === "script" ? [spec.work.value] : [],
    async (source, language) => await api.scripts.compile(organizationId, source, language),
  );
  const { name, maxRunning, content } = checkJobType(within, spec, compile);
  const { inputSchema } = content;
  // A schema that is too large is not looked into.
  if (inputSchema !== null && faults.found() === null) {
    for (const fault of await api.schemas.check(organizationId, inputSchema)) {
      within.add(`input_schema${fault.path}`, fault.description);
    }
  }
  faults.throwIfAny();
  const outcome = await api.types.put(place, { name, maxRunning, content, by, validateOnly });
  const detail = { kind: "full" as const, script: content.script };
  return { outcome, view: toJobType(outcome.type, outcome.version, undefined, detail) };
};

export const putJobType = async (
  call: TypeCall,
  { spec, validateOnly }: PutJobTypeRequest,
): Promise<MessageInitShape<typeof PutJobTypeResponseSchema>> => {
  const { api, place } = call;
  const { outcome, view } = await putSpec(api, spec, { place, by: actorOf(call), validateOnly });
  const { createdVersion } = outcome;
  return { jobType: validateOnly ? view : await viewOf(call, outcome), createdVersion };
};

export const setJobTypeEnabled = async (
  call: TypeCall,
  { name, enabled }: SetJobTypeEnabledRequest,
): Promise<MessageInitShape<typeof SetJobTypeEnabledResponseSchema>> => {
  const { api, place } = call;
  const head = await api.types.setEnabled(place, checkedName(name), enabled, actorOf(call));
  return { jobType: await viewOf(call, head) };
};

export const resumeJobType = async (
  call: TypeCall,
  request: ResumeJobTypeRequest,
): Promise<MessageInitShape<typeof ResumeJobTypeResponseSchema>> => {
  const { api, place } = call;
  const { organizationId } = place;
  const name = checkedName(request.name);
  const head = await api.types.find(organizationId, { name, version: 0 });
  await ownerOf(call).perform(resumeType(organizationId, name, actorOf(call)));
  return { jobType: await viewOf(call, head) };
};
