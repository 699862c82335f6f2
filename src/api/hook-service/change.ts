import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import type {
  CreateHookRequest,
  CreateHookResponseSchema,
  HookSpec,
  PauseHookRequest,
  PauseHookResponseSchema,
  ResumeHookRequest,
  ResumeHookResponseSchema,
  TestHookRequest,
  TestHookResponseSchema,
  UpdateHookRequest,
  UpdateHookResponseSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { freshSigningSecret } from "../../delivery/signing-secret.ts";
import type { SigningSecretRow } from "../../jobs/delivery.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { HookId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import {
  createHook as createCommand,
  type HookFacts,
  pauseHook as pauseCommand,
  resumeHook as resumeCommand,
  testHook as testCommand,
  updateHook as updateCommand,
} from "../../shard/commands/hook.ts";
import { orThrow } from "../../shard/refusals.ts";
import type { HookKey } from "../../store/store.ts";
import { toDelivery } from "../convert/delivery.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { text } from "../convert/fields.ts";
import { checkHook, toHook } from "../convert/hook.ts";
import { typeDisabled } from "../convert/typed-work.ts";
import { actorOf, ownerOf } from "../job-service/api.ts";
import { checkedHookId, type HookCall } from "./api.ts";

/** @throws JobFault HOOK_NOT_FOUND; INVALID_ARGUMENT for an empty id */
const keyOf = ({ place }: HookCall, hookId: string): HookKey => ({
  organizationId: place.organizationId,
  id: checkedHookId(hookId),
});

/** @throws JobFault INVALID_ARGUMENT, JOB_TYPE_NOT_FOUND, JOB_TYPE_DISABLED */
const factsOf = async (
  { api, place }: HookCall,
  faults: Faults,
  spec: HookSpec | undefined,
): Promise<HookFacts> => {
  const facts = spec && checkHook(faults.inside("spec."), spec, api.receivers);
  if (spec === undefined) faults.add("spec", "is missing.");
  faults.throwIfAny();
  if (facts === undefined || facts === null) throw new Error("a fault was not thrown");
  const { target } = facts;
  if (target.kind === "job") {
    const ref = { name: target.type, version: 0 };
    const type = await api.types.known(place.organizationId, ref);
    if (!type.enabled) throw typeDisabled(type);
  }
  return facts;
};

const secretFor = ({ api, random }: HookCall, hook: HookRow): SigningSecretRow | null => {
  if (hook.target.kind !== "url") return null;
  return {
    organizationId: hook.organizationId,
    hookId: hook.id,
    id: api.newId(),
    secret: freshSigningSecret(random),
    createdAt: hook.createdAt,
    expiresAt: null,
  };
};

export const createHook = async (
  call: HookCall,
  { spec }: CreateHookRequest,
): Promise<MessageInitShape<typeof CreateHookResponseSchema>> => {
  const { api, caller, place } = call;
  const facts = await factsOf(call, collectFaults(), spec);
  const now = api.clock.now();
  const hook: HookRow = {
    organizationId: place.organizationId,
    id: api.newId() as HookId,
    ...facts,
    creatorId: caller.userId,
    pausedAt: null,
    pauseReason: "",
    failures: 0,
    loopsStopped: 0,
    loopReason: "",
    aboveSince: null,
    firing: false,
    version: 1,
    createdAt: now,
    changedAt: now,
  };
  const secret = secretFor(call, hook);
  const made = orThrow(await ownerOf(call).perform(createCommand(hook, secret, actorOf(call))));
  if (secret === null) return { hook: toHook(made) };
  const createTime = timestampFromMs(made.createdAt);
  return { hook: toHook(made), signingSecret: { secret: secret.secret, createTime } };
};

export const updateHook = async (
  call: HookCall,
  { hookId, spec, version }: UpdateHookRequest,
): Promise<MessageInitShape<typeof UpdateHookResponseSchema>> => {
  const key = keyOf(call, hookId);
  const faults = collectFaults();
  if (version < 0n) faults.add("version", `must be 0 or more; it is ${version}.`);
  const facts = await factsOf(call, faults, spec);
  const command = updateCommand(key, Number(version), facts, actorOf(call));
  return { hook: toHook(orThrow(await ownerOf(call).perform(command))) };
};

export const pauseHook = async (
  call: HookCall,
  request: PauseHookRequest,
): Promise<MessageInitShape<typeof PauseHookResponseSchema>> => {
  const faults = collectFaults();
  const reason = text(faults, "reason", request.reason, LIMITS.pauseReasonLength);
  faults.throwIfAny();
  const command = pauseCommand(keyOf(call, request.hookId), reason, actorOf(call));
  return { hook: toHook(orThrow(await ownerOf(call).perform(command))) };
};

export const resumeHook = async (
  call: HookCall,
  { hookId }: ResumeHookRequest,
): Promise<MessageInitShape<typeof ResumeHookResponseSchema>> => {
  const command = resumeCommand(keyOf(call, hookId), actorOf(call));
  return { hook: toHook(orThrow(await ownerOf(call).perform(command))) };
};

export const testHook = async (
  call: HookCall,
  { hookId }: TestHookRequest,
): Promise<MessageInitShape<typeof TestHookResponseSchema>> => {
  const command = testCommand(keyOf(call, hookId), actorOf(call));
  return { delivery: toDelivery(orThrow(await ownerOf(call).perform(command))) };
};
