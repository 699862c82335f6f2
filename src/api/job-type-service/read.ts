import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  GetJobTypeRequest,
  GetJobTypeResponseSchema,
  ListJobTypesRequest,
  ListJobTypesResponseSchema,
  ListJobTypeVersionsRequest,
  ListJobTypeVersionsResponseSchema,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import { collectFaults } from "../convert/faults.ts";
import { toJobType } from "../convert/job-type-view.ts";
import { checkTypeName } from "../convert/work.ts";
import { cutPage, openPage, type Paged, pageSizeOf } from "../page.ts";
import { type TypeCall, viewOf } from "./api.ts";

export const getJobType = async (
  call: TypeCall,
  { name, version }: GetJobTypeRequest,
): Promise<MessageInitShape<typeof GetJobTypeResponseSchema>> => {
  const { api, place } = call;
  const faults = collectFaults();
  checkTypeName(faults, "name", name);
  if (version < 0) faults.add("version", `must be 0 or more; it is ${version}.`);
  faults.throwIfAny();
  const head = await api.types.find(place.organizationId, { name, version });
  return { jobType: await viewOf(call, head) };
};

const pagedOf = ({ api, place }: TypeCall, list: string): Paged => ({
  seal: api.seal,
  organizationId: place.organizationId,
  list,
});

export const listJobTypes = async (
  call: TypeCall,
  request: ListJobTypesRequest,
): Promise<MessageInitShape<typeof ListJobTypesResponseSchema>> => {
  const { catalog } = call.api;
  const { organizationId } = call.place;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const list = pagedOf(call, "types");
  const after = openPage(list, request.pageToken);
  const found = await catalog.list(organizationId, { after, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(list, found, size, ({ name }) => name);
  const [versions, breakers] = await Promise.all([
    catalog.newest(organizationId, rows),
    catalog.breakers(
      call.place,
      rows.map(({ name }) => name),
    ),
  ]);
  const newestOf = new Map(versions.map((version) => [version.name, version]));
  const breakerOf = new Map(breakers.map((breaker) => [breaker.type, breaker]));
  const jobTypes = rows.flatMap((type) => {
    const newest = newestOf.get(type.name);
    if (newest === undefined) return [];
    return [toJobType(type, newest, breakerOf.get(type.name), { kind: "brief" })];
  });
  return { jobTypes, nextPageToken };
};

export const listJobTypeVersions = async (
  call: TypeCall,
  request: ListJobTypeVersionsRequest,
): Promise<MessageInitShape<typeof ListJobTypeVersionsResponseSchema>> => {
  const { catalog, types } = call.api;
  const { organizationId } = call.place;
  const faults = collectFaults();
  const name = checkTypeName(faults, "name", request.name);
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const list = pagedOf(call, `versions of ${name}`);
  const last = openPage(list, request.pageToken);
  const { type } = await types.find(organizationId, { name, version: 0 });
  const page = { before: last === null ? null : Number(last), limit: size + 1 };
  const [found, breakers] = await Promise.all([
    catalog.versions(organizationId, name, page),
    catalog.breakers(call.place, [name]),
  ]);
  const { rows, nextPageToken } = cutPage(list, found, size, ({ version }) => `${version}`);
  const versions = rows.map((version) => toJobType(type, version, breakers[0], { kind: "brief" }));
  return { versions, nextPageToken };
};
