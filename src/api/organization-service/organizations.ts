import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CreateOrganizationRequest,
  CreateOrganizationResponseSchema,
  GetOrganizationRequest,
  GetOrganizationResponseSchema,
  ListOrganizationsRequest,
  ListOrganizationsResponseSchema,
  UpdateOrganizationRequest,
  UpdateOrganizationResponseSchema,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { configure } from "../../shard/commands/configure.ts";
import type { OrganizationRow } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkLimits, orAlreadyExists, properName, toOrganization } from "../convert/tenant.ts";
import { cutPage, EVERYWHERE, openPage, pageSizeOf } from "../page.ts";
import { lineOf, openScope, placeOf, type Scope, type TenantCall } from "../scope.ts";

const TAKEN = "ORGANIZATION_ALREADY_EXISTS";

const detailsOf = ({ name, maxRunning, maxQueued, weight, retentionMs }: OrganizationRow) => ({
  name,
  maxRunning,
  maxQueued,
  weight,
  retentionMs,
});

export const createOrganization = async (
  call: TenantCall,
  request: CreateOrganizationRequest,
): Promise<MessageInitShape<typeof CreateOrganizationResponseSchema>> => {
  const { api } = call;
  const faults = collectFaults();
  const name = properName(faults, "name", request.name, LIMITS.organizationNameLength);
  const limits = checkLimits(faults.inside("limits."), request.limits);
  faults.throwIfAny();
  const id = api.newId() as OrganizationId;
  const row: OrganizationRow = { id, name, ...limits, createdAt: api.clock.now() };
  const told = { action: "organization.create", subject: id, details: detailsOf(row) } as const;
  const line = lineOf(call, placeOf(api, id), told);
  await orAlreadyExists(TAKEN, async () => {
    await api.identity.insertOrganization(row, line);
  });
  return { organization: toOrganization(row) };
};

export const getOrganization = async (
  call: TenantCall,
  request: GetOrganizationRequest,
): Promise<MessageInitShape<typeof GetOrganizationResponseSchema>> => {
  const { organization } = await openScope(call, request.organizationId);
  return { organization: toOrganization(organization) };
};

export const listOrganizations = async (
  { api }: TenantCall,
  request: ListOrganizationsRequest,
): Promise<MessageInitShape<typeof ListOrganizationsResponseSchema>> => {
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const paged = { seal: api.seal, organizationId: EVERYWHERE, list: "organizations" };
  const after = openPage(paged, request.pageToken) as OrganizationId | null;
  const found = await api.identity.listOrganizations({ after, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { organizations: rows.map(toOrganization), nextPageToken };
};

/** The owner of its jobs, if it is this server, takes the new limits at once; others look by themselves. */
const tellOwner = async ({ api, place }: Scope): Promise<void> => {
  try {
    await api.router.ownerOf(place.organizationId).perform(configure([place.organizationId]));
  } catch {
    // Elsewhere, or just moving: whoever loads it next reads the limits that are stored by now.
  }
};

export const updateOrganization = async (
  call: TenantCall,
  request: UpdateOrganizationRequest,
): Promise<MessageInitShape<typeof UpdateOrganizationResponseSchema>> => {
  const { api } = call;
  const faults = collectFaults();
  const { name } = request;
  if (name !== "") properName(faults, "name", name, LIMITS.organizationNameLength);
  const limits = checkLimits(faults.inside("limits."), request.limits);
  faults.throwIfAny();
  const scope = await openScope(call, request.organizationId);
  const { id } = scope.organization;
  const change = {
    ...(name === "" ? {} : { name }),
    ...(request.limits === undefined ? {} : limits),
  };
  const told = { action: "organization.update", subject: id, details: change } as const;
  const line = lineOf(call, scope.place, told);
  await orAlreadyExists(TAKEN, async () => {
    await api.identity.updateOrganization({ id, ...change }, line);
  });
  await tellOwner(scope);
  return { organization: toOrganization({ ...scope.organization, ...change }) };
};
