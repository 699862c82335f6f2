import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import { freshSigningSecret } from "../../delivery/signing-secret.ts";
import type {
  GetSigningSecretsRequest,
  GetSigningSecretsResponseSchema,
  RotateSigningSecretRequest,
  RotateSigningSecretResponseSchema,
  SigningSecretSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import type { SigningSecretRow } from "../../jobs/delivery.ts";
import { LIMITS } from "../../jobs/limits.ts";
import {
  keepSigningSecrets,
  rotateSigningSecret as rotateCommand,
} from "../../shard/commands/signing-secret.ts";
import type { HookKey } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { durationWithin } from "../convert/fields.ts";
import { actorOf, ownerOf } from "../job-service/api.ts";
import { findHook, type HookCall } from "./api.ts";

const toSecret = (row: SigningSecretRow): MessageInitShape<typeof SigningSecretSchema> => ({
  secret: row.secret,
  createTime: timestampFromMs(row.createdAt),
  ...(row.expiresAt === null ? {} : { expireTime: timestampFromMs(row.expiresAt) }),
});

/** Whose secrets they are. @throws JobFault HOOK_NOT_FOUND */
const keyOf = async (call: HookCall, hookId: string): Promise<HookKey> => ({
  organizationId: call.place.organizationId,
  id: hookId === "" ? "" : (await findHook(call, hookId)).id,
});

export const getSigningSecrets = async (
  call: HookCall,
  { hookId }: GetSigningSecretsRequest,
): Promise<MessageInitShape<typeof GetSigningSecretsResponseSchema>> => {
  const command = keepSigningSecrets(await keyOf(call, hookId), freshSigningSecret(call.random));
  const secrets = await ownerOf(call).perform(command);
  return { secrets: secrets.toReversed().map(toSecret) };
};

export const rotateSigningSecret = async (
  call: HookCall,
  { hookId, overlap }: RotateSigningSecretRequest,
): Promise<MessageInitShape<typeof RotateSigningSecretResponseSchema>> => {
  const faults = collectFaults();
  const range = LIMITS.secretOverlapMs;
  const overlapMs = durationWithin(faults, "overlap", overlap, range, range.default);
  faults.throwIfAny();
  const key = await keyOf(call, hookId);
  const fresh = freshSigningSecret(call.random);
  const command = rotateCommand(key, fresh, overlapMs, actorOf(call));
  return { secret: toSecret(await ownerOf(call).perform(command)) };
};
