import type { ConnectRouter } from "@connectrpc/connect";

import { OrganizationService } from "../../gen/millrace/v1/organization_service_pb.ts";
import { openTenantCall, type TenantApi } from "../scope.ts";
import { listAuditEvents } from "./audit.ts";
import {
  createOrganization,
  getOrganization,
  listOrganizations,
  updateOrganization,
} from "./organizations.ts";

/** millrace.v1.OrganizationService. Never hand options to `service`: they would replace gate and interceptors. */
export const organizationServiceRoutes = (router: ConnectRouter, api: TenantApi): void => {
  router.service(OrganizationService, {
    createOrganization: async (request, context) =>
      await createOrganization(openTenantCall(api, context), request),
    getOrganization: async (request, context) =>
      await getOrganization(openTenantCall(api, context), request),
    listOrganizations: async (request, context) =>
      await listOrganizations(openTenantCall(api, context), request),
    updateOrganization: async (request, context) =>
      await updateOrganization(openTenantCall(api, context), request),
    listAuditEvents: async (request, context) =>
      await listAuditEvents(openTenantCall(api, context), request),
  });
};
