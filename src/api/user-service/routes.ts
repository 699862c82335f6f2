import type { ConnectRouter } from "@connectrpc/connect";

import { UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { openTenantCall, type TenantApi } from "../scope.ts";
import { listUserAttributes, removeUserAttribute, setUserAttribute } from "./attributes.ts";
import { updateUser } from "./update.ts";
import { createUser, getUser, listUsers } from "./users.ts";

/** millrace.v1.UserService. Never hand options to `service`: they would replace gate and interceptors. */
export const userServiceRoutes = (router: ConnectRouter, api: TenantApi): void => {
  router.service(UserService, {
    createUser: async (request, context) => await createUser(openTenantCall(api, context), request),
    getUser: async (request, context) => await getUser(openTenantCall(api, context), request),
    listUsers: async (request, context) => await listUsers(openTenantCall(api, context), request),
    updateUser: async (request, context) => await updateUser(openTenantCall(api, context), request),
    listUserAttributes: async (request, context) =>
      await listUserAttributes(openTenantCall(api, context), request),
    setUserAttribute: async (request, context) =>
      await setUserAttribute(openTenantCall(api, context), request),
    removeUserAttribute: async (request, context) =>
      await removeUserAttribute(openTenantCall(api, context), request),
  });
};
