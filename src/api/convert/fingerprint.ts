import { createHash } from "node:crypto";

import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";

import type { UserCaller } from "../../identity/caller.ts";
import { canonicalJson } from "../../jobs/canonical-json.ts";

/**
 * SHA-256 over what makes two submissions the same: who, and everything said but the request id.
 * Over the request as it came, so that a default that changes with a release breaks no repetition.
 */
export const fingerprintOf = <Schema extends DescMessage>(
  schema: Schema,
  request: MessageShape<Schema>,
  { userId }: UserCaller,
): string => {
  const {
    requestId: _id,
    validateOnly: _only,
    ...content
  } = toJson(schema, request) as Record<string, unknown>;
  return createHash("sha256")
    .update(canonicalJson([userId, content]))
    .digest("hex");
};
