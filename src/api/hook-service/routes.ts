import type { ConnectRouter } from "@connectrpc/connect";

import { HookService } from "../../gen/millrace/v1/hook_service_pb.ts";
import { type HookApi, openHookCall } from "./api.ts";
import { createHook, pauseHook, resumeHook, testHook, updateHook } from "./change.ts";
import { getDelivery, listDeliveries, redeliverDelivery } from "./deliveries.ts";
import { deleteHook } from "./delete.ts";
import { getHook, listHooks } from "./read.ts";
import { getSigningSecrets, rotateSigningSecret } from "./signing-secrets.ts";

/** millrace.v1.HookService. Never hand options to `service`: they would replace gate and interceptors. */
export const hookServiceRoutes = (router: ConnectRouter, api: HookApi): void => {
  const open = openHookCall;
  router.service(HookService, {
    createHook: async (request, context) => await createHook(open(api, context), request),
    getHook: async (request, context) => await getHook(open(api, context), request),
    listHooks: async (request, context) => await listHooks(open(api, context), request),
    updateHook: async (request, context) => await updateHook(open(api, context), request),
    pauseHook: async (request, context) => await pauseHook(open(api, context), request),
    resumeHook: async (request, context) => await resumeHook(open(api, context), request),
    deleteHook: async (request, context) => await deleteHook(open(api, context), request),
    listDeliveries: async (request, context) => await listDeliveries(open(api, context), request),
    getDelivery: async (request, context) => await getDelivery(open(api, context), request),
    redeliverDelivery: async (request, context) =>
      await redeliverDelivery(open(api, context), request),
    getSigningSecrets: async (request, context) =>
      await getSigningSecrets(open(api, context), request),
    rotateSigningSecret: async (request, context) =>
      await rotateSigningSecret(open(api, context), request),
    testHook: async (request, context) => await testHook(open(api, context), request),
  });
};
