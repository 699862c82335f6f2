import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";

import { TokenService } from "../../gen/millrace/v1/token_service_pb.ts";
import { bearerOf } from "../../identity/authenticator.ts";
import { openTenantCall } from "../scope.ts";
import type { TokenApi } from "./api.ts";
import { createToken } from "./create.ts";
import { introspectToken } from "./introspect.ts";
import { listTokens } from "./list.ts";
import { revokeToken } from "./revoke.ts";

const bearerIn = ({ requestHeader }: HandlerContext): string =>
  bearerOf(requestHeader.get("authorization"));

/** millrace.v1.TokenService. Never hand options to `service`: they would replace gate and interceptors. */
export const tokenServiceRoutes = (router: ConnectRouter, api: TokenApi): void => {
  router.service(TokenService, {
    createToken: async (request, context) =>
      await createToken(openTenantCall(api, context), api, request, bearerIn(context)),
    listTokens: async (request, context) => await listTokens(openTenantCall(api, context), request),
    revokeToken: async (request, context) =>
      await revokeToken(openTenantCall(api, context), api, request),
    introspectToken: async (request, context) =>
      await introspectToken(
        openTenantCall(api, context),
        api,
        request.token === "" ? bearerIn(context) : request.token,
      ),
  });
};
