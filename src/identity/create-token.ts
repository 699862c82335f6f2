import type { Permission } from "../jobs/abilities.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { IdentityStore, TokenRow } from "../store/store.ts";
import { formatToken, hashSecret, ID_BYTES, SECRET_BYTES } from "./token.ts";

/** For whom a token speaks. A runner's token speaks for no organization. */
export type TokenSubject =
  | {
      readonly kind: "user";
      readonly organizationId: OrganizationId;
      /** Empty: the organization itself. */
      readonly userId: UserId | "";
    }
  | { readonly kind: "runner" }
  | { readonly kind: "operator" };

export type NewToken = TokenSubject & {
  /** For people. */
  readonly name: string;
  /** Null, and if absent: all that its user may. */
  readonly permissions?: readonly Permission[] | null;
  readonly createdBy?: UserId | "";
  /** Null: never. */
  readonly expiresAt: Millis | null;
};

export type TokenMaker = {
  readonly identity: IdentityStore;
  readonly clock: Clock;
  readonly random: Random;
};

/** Makes a token and stores its hash. The text is known only here and to who receives it. */
export const createToken = async (
  { identity, clock, random }: TokenMaker,
  wanted: NewToken,
): Promise<{ readonly text: string; readonly row: TokenRow }> => {
  const { id, secret, text } = formatToken(random.secret(ID_BYTES), random.secret(SECRET_BYTES));
  const row: TokenRow = {
    id,
    kind: wanted.kind,
    organizationId: wanted.kind === "user" ? wanted.organizationId : "",
    userId: wanted.kind === "user" ? wanted.userId : "",
    name: wanted.name,
    hash: hashSecret(secret),
    permissions: wanted.permissions ?? null,
    createdBy: wanted.createdBy ?? "",
    createdAt: clock.now(),
    expiresAt: wanted.expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  };
  await identity.insertToken(row);
  return { text, row };
};
