/** What the store knows of organizations, users and tokens. */
import type { Permission } from "../jobs/abilities.ts";
import type { AttributeRow } from "../jobs/attribute.ts";
import type { AuditRow } from "../jobs/audit.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { Place, ShardId } from "./store.ts";

/**
 * `user` tokens speak for a user of an organization, or for the organization itself; `runner`
 * tokens for a runner process; `operator` tokens for whoever runs the service: they make
 * organizations, and see no jobs.
 */
export type TokenKind = "user" | "runner" | "operator";

export type OrganizationRow = {
  readonly id: OrganizationId;
  readonly name: string;
  /** Null: the server's default, as with all limits. */
  readonly maxRunning: number | null;
  readonly maxQueued: number | null;
  readonly weight: number | null;
  readonly retentionMs: number | null;
  readonly createdAt: Millis;
};

/** An organization that leaves all of its limits to the server. */
export const STANDARD_LIMITS: Pick<
  OrganizationRow,
  "maxRunning" | "maxQueued" | "weight" | "retentionMs"
> = { maxRunning: null, maxQueued: null, weight: null, retentionMs: null };

export type UserRow = {
  readonly id: UserId;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** Null while he may act. */
  readonly disabledAt: Millis | null;
  readonly createdAt: Millis;
};

export type TokenRow = {
  /** The public part of the token. */
  readonly id: string;
  readonly kind: TokenKind;
  /** Empty for a runner's and an operator's token. */
  readonly organizationId: OrganizationId | "";
  /** Empty also for a token that speaks for its organization. */
  readonly userId: UserId | "";
  readonly name: string;
  /** SHA-256 of the secret part, in hex. */
  readonly hash: string;
  /** Null: all that its user may. Never null for a token of the organization itself. */
  readonly permissions: readonly Permission[] | null;
  /** Who made it; empty for one that was made on the database itself. */
  readonly createdBy: UserId | "";
  readonly createdAt: Millis;
  readonly expiresAt: Millis | null;
  readonly revokedAt: Millis | null;
  readonly lastUsedAt: Millis | null;
};

/** What has changed in who may do what, since a moment of the database's clock. */
export type IdentityChanges = {
  readonly revokedTokens: readonly string[];
  readonly users: readonly {
    readonly organizationId: OrganizationId;
    readonly id: UserId;
    readonly changedAt: Millis;
  }[];
  readonly organizations: readonly { readonly id: OrganizationId; readonly changedAt: Millis }[];
  /** To ask with the next time. */
  readonly asOf: Millis;
};

/** A page by key: what comes after `after`, in ascending order; null begins. */
export type PageOf<Key> = { readonly after: Key | null; readonly limit: number };

/** An organization of that name, or a user of it within the organization, is there already. */
export class NameTaken extends Error {
  override readonly name = "NameTaken";
  constructor(name: string) {
    super(`the name ${name} is taken`);
  }
}

/** What may be changed of an organization; what is left out stays. */
export type OrganizationChange = Pick<OrganizationRow, "id"> &
  Partial<Omit<OrganizationRow, "id" | "createdAt">>;

/** A line of the audit log, and the shard of its organization. */
export type AuditLine = { readonly shardId: ShardId; readonly row: AuditRow };

/** Organizations and users. What is given a line writes it in the same transaction. */
export interface TenantStore {
  /** @throws NameTaken */
  insertOrganization(row: OrganizationRow, line?: AuditLine): Promise<void>;
  /** False if there is none. Owners of its shard see it within 5 s. @throws NameTaken */
  updateOrganization(change: OrganizationChange, line?: AuditLine): Promise<boolean>;
  listOrganizations(page: PageOf<OrganizationId>): Promise<OrganizationRow[]>;
  /** @throws NameTaken */
  insertUser(row: UserRow, line?: AuditLine): Promise<void>;
  /**
   * Sets name, permissions and whether he is disabled to what `change` makes of them; null if there
   * is no such user. Changes of users of one organization follow one another, so that `change` sees
   * the row as it is, and knows whether another admin can act. What it throws undoes everything.
   * @throws NameTaken
   */
  updateUser(
    organizationId: OrganizationId,
    id: UserId,
    change: (user: UserRow, others: { readonly haveAdmin: boolean }) => UserRow,
    lineOf?: (after: UserRow) => AuditLine,
  ): Promise<UserRow | null>;
  /** Something that others remember of him has changed, such as an attribute: they look anew. */
  touchUser(organizationId: OrganizationId, id: UserId): Promise<void>;
  listUsers(organizationId: OrganizationId, page: PageOf<UserId>): Promise<UserRow[]>;
  findOrganization(id: OrganizationId): Promise<OrganizationRow | null>;
  findOrganizationByName(name: string): Promise<OrganizationRow | null>;
  findUser(organizationId: OrganizationId, id: UserId): Promise<UserRow | null>;
  findUserByName(organizationId: OrganizationId, name: string): Promise<UserRow | null>;
}

export interface IdentityStore extends TenantStore {
  insertToken(row: TokenRow): Promise<void>;
  findToken(id: string): Promise<TokenRow | null>;
  /** Of an organization, of one user of it if he is named; of none, if it is empty. By id. */
  listTokens(
    organizationId: OrganizationId | "",
    userId: UserId | null,
    page: PageOf<string>,
  ): Promise<TokenRow[]>;
  /** False if there is no such token that was not revoked before. */
  revokeToken(id: string, at: Millis): Promise<boolean>;
  touchToken(id: string, at: Millis): Promise<void>;
  /** What changed since; null asks only for the time. Looks back a little further, so that nothing is missed. */
  changesSince(since: Millis | null): Promise<IdentityChanges>;
  attributes(place: Place, userId: UserId): Promise<AttributeRow[]>;
  hasAttribute(
    place: Place,
    userId: UserId,
    attribute: Pick<AttributeRow, "name" | "value">,
  ): Promise<boolean>;
  insertAudit(shardId: ShardId, row: AuditRow): Promise<void>;
  /** Newest first, before that id; of one subject if it is named. */
  listAudit(
    place: Place,
    subject: string | null,
    page: { readonly before: string | null; readonly limit: number },
  ): Promise<AuditRow[]>;
}
