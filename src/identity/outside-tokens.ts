import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";

import { isPermission, type Permission, permittedTo } from "../jobs/abilities.ts";
import { JobFault } from "../jobs/errors.ts";
import { isUuidV7, type OrganizationId, type UserId } from "../jobs/ids.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { IdentityStore } from "../store/store.ts";
import type { Presented } from "./caller.ts";
import type { KnownUsers } from "./known-users.ts";
import { remember } from "./remember.ts";

/** Whose JWTs are taken, and where they say for whom they speak. */
export type OutsideIssuer = {
  /** `iss`, to the letter. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Must be among `aud`. */
  readonly audience: string;
  /** Holds the id or the name of an organization. */
  readonly organizationClaim: string;
  /** Holds the id or the name of a user of it. */
  readonly userClaim: string;
  /** Holds abilities and roles, as a list or parted by spaces. Null: a JWT may what its user may. */
  readonly abilitiesClaim: string | null;
};

/** Checks JWTs of one outside issuer. Its keys are fetched when the first JWT comes. */
export type OutsideTokens = {
  /**
   * Null for whatever is not valid, or speaks for nobody here.
   * @throws JobFault SHARD_UNAVAILABLE while the keys of the issuer cannot be had
   */
  inspect(text: string): Promise<Presented | null>;
  /** Names of users may have changed. */
  forgetNames(): void;
};

export type OutsideTokensOptions = {
  readonly issuer: OutsideIssuer;
  readonly identity: IdentityStore;
  readonly users: KnownUsers;
  readonly clock: Clock;
  readonly log: Log;
  /** An unknown key is looked for no more often than this. */
  readonly cooldownMs?: number;
};

/** As the audit log names such a token. */
export const JWT_TOKEN_ID = "jwt";

/** Signatures by a private key alone: with a shared one, whoever can check could also sign. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
const LONGEST_TOKEN = 16_384;
/** The end of the year 9999: an `exp` may be any number, and a Timestamp knows no later. */
const LATEST = 253_402_300_799_999;
/** Clocks differ. */
const TOLERANCE_MS = 5_000;
const KEYS_KEPT_MS = 600_000;
const COOLDOWN_MS = 30_000;
const FETCH_MS = 5_000;
const FAILURE_PAUSE_MS = 2_000;
const KEEP_MS = 3_000;
const MAX_NAMES = 10_000;

/** What is wrong with a token, and not with the way to the keys. */
const isInvalid = (caught: unknown): boolean =>
  caught instanceof errors.JOSEError &&
  caught.code !== errors.JOSEError.code &&
  caught.code !== errors.JWKSTimeout.code &&
  caught.code !== errors.JWKSInvalid.code;

const textIn = (payload: JWTPayload, claim: string, longest: number): string | null => {
  const value = payload[claim];
  return typeof value === "string" && value !== "" && value.length <= longest ? value : null;
};

/** Words that mean nothing here are left out: scopes of other services may stand beside ours. */
const permissionsIn = (payload: JWTPayload, claim: string): Permission[] => {
  const value = payload[claim];
  const words: readonly unknown[] =
    typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
  return words.filter((word): word is Permission => typeof word === "string" && isPermission(word));
};

export const createOutsideTokens = (options: OutsideTokensOptions): OutsideTokens => {
  const { issuer, identity, users, clock, log } = options;
  const keys = createRemoteJWKSet(new URL(issuer.jwksUrl), {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: options.cooldownMs ?? COOLDOWN_MS,
    timeoutDuration: FETCH_MS,
  });
  let failedAt = Number.NEGATIVE_INFINITY;

  const organizations = remember<OrganizationId | null>({
    clock,
    keepMs: KEEP_MS,
    max: MAX_NAMES,
    read: async (claim) => {
      const byId = isUuidV7(claim)
        ? await identity.findOrganization(claim as OrganizationId)
        : null;
      const found = byId ?? (await identity.findOrganizationByName(claim));
      // MySQL takes "a" and "a " for equal.
      return found !== null && (found.id === claim || found.name === claim) ? found.id : null;
    },
  });
  const names = remember<UserId | null>({
    clock,
    keepMs: KEEP_MS,
    max: MAX_NAMES,
    read: async (key) => {
      const [organizationId, name] = JSON.parse(key) as [OrganizationId, string];
      const found = await identity.findUserByName(organizationId, name);
      return found?.name === name ? found.id : null;
    },
  });

  const unavailable = (cause?: unknown): JobFault =>
    new JobFault(
      "SHARD_UNAVAILABLE",
      "The keys of the token's issuer cannot be had for the moment. Try again shortly.",
      { cause },
    );

  const verify = async (text: string): Promise<JWTPayload | null> => {
    if (!keys.fresh && clock.monotonic() - failedAt < FAILURE_PAUSE_MS) throw unavailable();
    try {
      const { payload } = await jwtVerify(text, keys, {
        algorithms: ALGORITHMS,
        issuer: issuer.issuer,
        audience: issuer.audience,
        requiredClaims: ["exp"],
        clockTolerance: TOLERANCE_MS / 1_000,
        currentDate: new Date(clock.now()),
      });
      return payload;
    } catch (caught) {
      if (isInvalid(caught)) return null;
      failedAt = clock.monotonic();
      log.warn(
        { err: caught, url: issuer.jwksUrl },
        "the keys of the outside issuer cannot be had",
      );
      throw unavailable(caught);
    }
  };

  const findUser = async (organizationId: OrganizationId, claim: string) => {
    const byId = isUuidV7(claim) ? await users.find(organizationId, claim) : null;
    if (byId !== null) return byId;
    const userId = await names.get(JSON.stringify([organizationId, claim]));
    return userId === null ? null : await users.find(organizationId, userId);
  };

  return {
    inspect: async (text) => {
      if (text.length > LONGEST_TOKEN) return null;
      const payload = await verify(text);
      if (payload?.exp === undefined) return null;
      const organization = textIn(payload, issuer.organizationClaim, LIMITS.organizationNameLength);
      const who = textIn(payload, issuer.userClaim, LIMITS.userNameLength);
      if (organization === null || who === null) return null;
      const organizationId = await organizations.get(organization);
      const user = organizationId === null ? null : await findUser(organizationId, who);
      if (organizationId === null || user === null || user.row.disabledAt !== null) return null;
      const { abilitiesClaim } = issuer;
      const limit = abilitiesClaim === null ? null : permissionsIn(payload, abilitiesClaim);
      return {
        caller: {
          kind: "user",
          organizationId,
          userId: user.row.id,
          permissions: permittedTo(user.row.permissions, limit),
          tokenId: JWT_TOKEN_ID,
          attempt: null,
        },
        expiresAt: Math.min(Math.floor(payload.exp * 1_000) + TOLERANCE_MS, LATEST),
        creatorId: "",
      };
    },
    forgetNames: () => {
      names.clear();
    },
  };
};
