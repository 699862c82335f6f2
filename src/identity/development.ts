import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { type IdentityStore, STANDARD_LIMITS } from "../store/store.ts";
import { createToken } from "./create-token.ts";
import { type Credentials, readCredentials, writeCredentials } from "./credentials-file.ts";
import { parseToken, secretMatches } from "./token.ts";

export type DevelopmentOptions = {
  readonly identity: IdentityStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly dataDir: string;
  readonly url: string;
  readonly internalUrl: string;
};

const NAME = "dev";

const findOrMakeUser = async ({
  identity,
  clock,
  random,
}: DevelopmentOptions): Promise<{
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
}> => {
  const createdAt = clock.now();
  let organization = await identity.findOrganizationByName(NAME);
  if (organization === null) {
    const id = random.uuid() as OrganizationId;
    organization = { id, name: NAME, ...STANDARD_LIMITS, createdAt };
    await identity.insertOrganization(organization);
  }
  const organizationId = organization.id;
  let user = await identity.findUserByName(organizationId, NAME);
  if (user === null) {
    const id = random.uuid() as UserId;
    const permissions = ["admin"] as const;
    user = { id, organizationId, name: NAME, permissions, disabledAt: null, createdAt };
    await identity.insertUser(user);
  }
  return { organizationId, userId: user.id };
};

const stillWorks = async (identity: IdentityStore, text: string): Promise<boolean> => {
  const token = parseToken(text);
  const row = token === null ? null : await identity.findToken(token.id);
  return token !== null && row?.revokedAt === null && secretMatches(token.secret, row.hash);
};

/**
 * An organization, an admin and tokens to begin with, on the embedded database: made at the first
 * start, found again at later ones, made anew where the file or the database was removed.
 */
export const bootstrapDevelopment = async (options: DevelopmentOptions): Promise<Credentials> => {
  const { identity, dataDir, url, internalUrl } = options;
  const owner = await findOrMakeUser(options);
  const kept = await readCredentials(dataDir);
  const sameOwner = kept?.organizationId === owner.organizationId && kept.userId === owner.userId;
  const name = "development";
  const token =
    kept !== null && sameOwner && (await stillWorks(identity, kept.token))
      ? kept.token
      : (await createToken(options, { kind: "user", ...owner, name, expiresAt: null })).text;
  const runnerToken =
    kept !== null && (await stillWorks(identity, kept.runnerToken))
      ? kept.runnerToken
      : (await createToken(options, { kind: "runner", name, expiresAt: null })).text;
  const operatorToken =
    kept !== null && (await stillWorks(identity, kept.operatorToken))
      ? kept.operatorToken
      : (await createToken(options, { kind: "operator", name, expiresAt: null })).text;
  const tokens = { token, runnerToken, operatorToken };
  const credentials: Credentials = { url, internalUrl, ...owner, ...tokens };
  await writeCredentials(dataDir, credentials);
  return credentials;
};
