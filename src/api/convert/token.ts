import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";

import { TokenKind, type TokenSchema } from "../../gen/millrace/v1/token_service_pb.ts";
import type { Millis } from "../../jobs/job.ts";
import type { TokenKind as StoredKind, TokenRow } from "../../store/store.ts";
import { abilitiesOf, rolesOf } from "./tenant.ts";

/* Tokens between the wire and the store. */

export const WIRE_KINDS: Readonly<Record<StoredKind, TokenKind>> = {
  user: TokenKind.USER,
  runner: TokenKind.RUNNER,
  operator: TokenKind.OPERATOR,
};

const stamped = (name: string, at: Millis | null): Partial<Record<string, Timestamp>> =>
  at === null ? {} : { [name]: timestampFromMs(at) };

export const toToken = (row: TokenRow): MessageInitShape<typeof TokenSchema> => ({
  id: row.id,
  kind: WIRE_KINDS[row.kind],
  organizationId: row.organizationId,
  userId: row.userId,
  name: row.name,
  ...(row.permissions === null
    ? {}
    : {
        abilities: { names: abilitiesOf(row.permissions) },
        roles: { names: rolesOf(row.permissions) },
      }),
  createdBy: row.createdBy,
  createTime: timestampFromMs(row.createdAt),
  ...stamped("expireTime", row.expiresAt),
  ...stamped("revokeTime", row.revokedAt),
  ...stamped("lastUseTime", row.lastUsedAt),
});
