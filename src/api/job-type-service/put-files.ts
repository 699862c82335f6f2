import { fromJson, type JsonValue } from "@bufbuild/protobuf";

import type { FileFault } from "../../catalog/files/document.ts";
import { faultLine, inFile, notTaken, readTypeFiles } from "../../catalog/files/type-files.ts";
import { JobTypeSpecSchema } from "../../gen/millrace/v1/job_type_service_pb.ts";
import { SERVER } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import { isUuidV7, type OrganizationId } from "../../jobs/ids.ts";
import type { IdentityStore } from "../../store/store.ts";
import type { JobTypeApi } from "./api.ts";
import { putSpec } from "./change.ts";

/** The types of a folder cannot be put: each fault on a line of its own. */
export class TypesRefused extends Error {
  override readonly name = "TypesRefused";
}

export type PutFilesOptions = {
  readonly api: Pick<JobTypeApi, "schemas" | "scripts" | "types" | "router">;
  readonly identity: IdentityStore;
  readonly folder: string;
  /** By name or id. */
  readonly organization: string;
};

const refuseIfAny = (folder: string, faults: readonly FileFault[]): void => {
  if (faults.length === 0) return;
  const lines = faults.map((fault) => `  ${faultLine(fault)}`).join("\n");
  throw new TypesRefused(`The job types in ${folder} cannot be used:\n${lines}`);
};

/**
 * Puts the types of a folder, as a server does at its start: all are checked before the first is
 * written. Several servers may do it at once. Answers with the names of those that got a new version.
 * @throws TypesRefused, FolderFault
 */
export const putTypeFiles = async (options: PutFilesOptions): Promise<string[]> => {
  const { api, identity, folder, organization: wanted } = options;
  const organization =
    (isUuidV7(wanted) ? await identity.findOrganization(wanted as OrganizationId) : null) ??
    (await identity.findOrganizationByName(wanted));
  if (organization === null) {
    throw new TypesRefused(
      `There is no organization ${wanted} for the types in ${folder}: see MILLRACE_TYPES_ORGANIZATION.`,
    );
  }
  const organizationId = organization.id;
  const place = { shardId: api.router.shardOf(organizationId), organizationId };
  const { types, faults } = await readTypeFiles(folder);
  const wrong = [...faults];
  const specs = types.flatMap((type) => {
    try {
      return [{ type, spec: fromJson(JobTypeSpecSchema, type.json as JsonValue) }];
    } catch (caught) {
      wrong.push(notTaken(type, caught));
      return [];
    }
  });
  for (const { type, spec } of specs) {
    try {
      await putSpec(api, spec, { place, by: SERVER, validateOnly: true });
    } catch (caught) {
      if (!(caught instanceof JobFault) || caught.faults.length === 0) throw caught;
      wrong.push(...inFile(type, caught.faults));
    }
  }
  refuseIfAny(folder, wrong);
  const changed: string[] = [];
  for (const { spec } of specs) {
    const { outcome } = await putSpec(api, spec, { place, by: SERVER, validateOnly: false });
    if (outcome.createdVersion) changed.push(spec.name);
  }
  return changed;
};
