import { impliedBy, JOB_TOKEN_PERMISSIONS } from "../jobs/abilities.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { JobReader, ShardId } from "../store/store.ts";
import type { Presented, UserCaller } from "./caller.ts";
import {
  formatJobToken,
  isGenuine,
  jobTokenId,
  type JobTokenSubject,
  parseJobToken,
} from "./job-token.ts";
import type { JobTokenKeys } from "./job-token-keys.ts";
import type { KnownUser, KnownUsers } from "./known-users.ts";

/** Makes jobs' own tokens, and tells for whom they speak (row C5). */
export type JobTokens = {
  mint(subject: JobTokenSubject): string;
  /** Null unless its attempt runs now, it was not revoked, and its operational user may act. */
  inspect(text: string): Promise<Presented | null>;
};

export type JobTokensOptions = {
  readonly keys: JobTokenKeys;
  readonly jobs: JobReader;
  readonly users: KnownUsers;
  readonly shardOf: (organizationId: OrganizationId) => ShardId;
};

const isAlive = (row: JobRow | null, attempt: number): row is JobRow =>
  row !== null &&
  row.state === "RUNNING" &&
  row.attempt === attempt &&
  row.tokenRevokedAttempt < attempt;

/** What the operational user may do, but for what a job must never do in his name. */
const permissionsOf = (user: KnownUser | null): UserCaller["permissions"] => {
  const all = impliedBy(user?.row.permissions ?? []);
  return new Set(JOB_TOKEN_PERMISSIONS.filter((permission) => all.has(permission)));
};

export const createJobTokens = ({ keys, jobs, users, shardOf }: JobTokensOptions): JobTokens => ({
  mint: (subject) => formatJobToken(keys.current(), subject),
  inspect: async (text) => {
    const token = parseJobToken(text);
    const key = token === null ? null : keys.of(token.epoch);
    if (token === null || key === null || !isGenuine(key, token)) return null;
    const { organizationId, jobId, attempt } = token;
    // Read each time: it is worth nothing as soon as the attempt has ended.
    const row = await jobs.find({ shardId: shardOf(organizationId), organizationId }, jobId);
    if (!isAlive(row, attempt)) return null;
    const user = row.runAs === "" ? null : await users.find(organizationId, row.runAs);
    if (row.runAs !== "" && (user === null || user.row.disabledAt !== null)) return null;
    return {
      caller: {
        kind: "user",
        organizationId,
        userId: row.runAs,
        permissions: permissionsOf(user),
        tokenId: jobTokenId(jobId, attempt),
        attempt: { jobId, attempt },
      },
      expiresAt: null,
      creatorId: row.creatorId,
    };
  },
});
