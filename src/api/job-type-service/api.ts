import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";

import type { TypeHead } from "../../catalog/job-types.ts";
import type { JobTypeSchema } from "../../gen/millrace/v1/job_type_service_pb.ts";
import type { ScriptHash } from "../../jobs/ids.ts";
import type { CatalogStore } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { toJobType } from "../convert/job-type-view.ts";
import { checkTypeName } from "../convert/work.ts";
import { type Call, type JobApi, openCall as openJobCall } from "../job-service/api.ts";

/** What the handlers of JobTypeService work with. */
export type JobTypeApi = JobApi & { readonly catalog: CatalogStore };

export type TypeCall = Omit<Call, "api"> & { readonly api: JobTypeApi };

export const openCall = (api: JobTypeApi, context: HandlerContext): TypeCall => ({
  ...openJobCall(api, context),
  api,
});

/** @throws JobFault INVALID_ARGUMENT */
export const checkedName = (name: string): string => {
  const faults = collectFaults();
  checkTypeName(faults, "name", name);
  faults.throwIfAny();
  return name;
};

/** A version with everything that is known of it. */
export const viewOf = async (
  { api, place }: TypeCall,
  { type, version }: TypeHead,
): Promise<MessageInitShape<typeof JobTypeSchema>> => {
  const hash = version.scriptHash as ScriptHash;
  const [breakers, script] = await Promise.all([
    api.catalog.breakers(place, [type.name]),
    version.scriptHash === "" ? null : api.jobs.script(place, hash),
  ]);
  return toJobType(type, version, breakers[0], { kind: "full", script });
};
