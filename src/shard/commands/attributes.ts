import {
  type AttributeKind,
  type AttributeRow,
  DEFERRED_ACTION,
  RELEASE_JOB,
} from "../../jobs/attribute.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JobId, UserId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { release } from "../../jobs/transitions.ts";
import type { AttributeWanted, JobKey } from "../../store/store.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** The attribute that releases this job of this user. */
export const releaseOf = ({ organizationId, id }: JobKey, userId: UserId): AttributeWanted => ({
  organizationId,
  userId,
  name: RELEASE_JOB,
  value: id,
});

/** The job that the attribute names; null if it is none that releases jobs. */
const jobReleasedBy = ({ organizationId, name, value }: AttributeWanted): JobKey | null =>
  name === RELEASE_JOB ? { organizationId, id: value as JobId } : null;

/** `deferred-action` has one value at a time. */
const rivalsOf = (attribute: AttributeWanted): AttributeWanted[] =>
  attribute.name === DEFERRED_ACTION
    ? ["true", "false"]
        .filter((value) => value !== attribute.value)
        .map((value) => ({ ...attribute, value }))
    : [];

export type NewAttribute = AttributeWanted & { readonly kind: AttributeKind };

/** `released`: the job that goes on by it; null if the attribute is kept. */
export type AttributeSet = { readonly released: JobRow | null };

const note = (
  turn: Turn,
  by: Actor,
  action: "user.set-attribute" | "user.remove-attribute",
  { organizationId, userId, name, value }: AttributeWanted,
): void => {
  const details = JSON.stringify({ name, value });
  turn.audit(organizationId, { actor: by, action, subject: userId, details });
};

/**
 * Gives a user an attribute; one that he has already stays as it is. `release-job` of a HELD job
 * that acts for him is used up in the same commit that moves the job on. Of a job that nobody
 * knows yet it is kept, and its submission uses it up (submit.ts). The user has to exist.
 * Refuses with JOB_NOT_HELD (of a job that it can never release), TOO_MANY_ATTRIBUTES.
 */
export const setAttribute = (given: NewAttribute, by: Actor): Command<AttributeSet | JobFault> => {
  const { organizationId, userId, name, value } = given;
  const attribute: AttributeWanted = { organizationId, userId, name, value };
  const job = jobReleasedBy(attribute);
  return {
    weight: 1,
    bytes: 0,
    want: (state, wanted) => {
      wanted.attributes.push(attribute, ...rivalsOf(attribute));
      wanted.attributeCounts.push({ organizationId, userId });
      if (job !== null && state.find(organizationId, job.id) === undefined) wanted.jobs.push(job);
    },
    apply: (turn) => {
      const row = job === null ? null : turn.row(organizationId, job.id);
      if (row !== null) return releaseJob(turn, row, attribute, by);
      if (turn.attributes.find(attribute) !== null) return { released: null };
      const rivals = rivalsOf(attribute)
        .map((rival) => turn.attributes.find(rival))
        .filter((rival) => rival !== null);
      const kept = turn.attributes.count(attribute) - rivals.length;
      if (kept >= LIMITS.attributesPerUser) return tooMany(kept);
      for (const rival of rivals) turn.attributes.remove(rival);
      turn.attributes.put({ ...attribute, kind: given.kind, createdAt: turn.now });
      note(turn, by, "user.set-attribute", attribute);
      return { released: null };
    },
  };
};

const releaseJob = (
  turn: Turn,
  row: JobRow,
  attribute: AttributeWanted,
  by: Actor,
): AttributeSet | JobFault => {
  const job = turn.state.find(row.organizationId, row.id);
  if (row.runAs !== attribute.userId || row.state !== "HELD" || job === undefined) {
    return notHeld(row, attribute.userId);
  }
  // Left from a time when the user's actions were not deferred: the job used up none at its birth.
  const left = turn.attributes.find(attribute);
  if (left !== null) turn.attributes.remove(left);
  note(turn, by, "user.set-attribute", attribute);
  turn.audit(row.organizationId, {
    actor: by,
    action: "job.release",
    subject: row.id,
    details: JSON.stringify({ user: attribute.userId }),
  });
  const isBlocked = turn.state.workflows.waits(row);
  return { released: turn.change(job, release(row, isBlocked, turn.now)) };
};

const notHeld = (row: JobRow, userId: UserId): JobFault => {
  const why =
    row.runAs === userId
      ? `it is ${row.state}, not HELD`
      : "it acts for another user, whose attribute alone releases it";
  return new JobFault("JOB_NOT_HELD", `This releases nothing: the job is there, but ${why}.`, {
    metadata: { job_id: row.id, state: row.state },
  });
};

const tooMany = (count: number): JobFault =>
  new JobFault(
    "TOO_MANY_ATTRIBUTES",
    `The user has ${count} attributes, which is the most that he may have. Remove some.`,
    { metadata: { max: String(LIMITS.attributesPerUser) } },
  );

/** True if the user had it. */
export const removeAttribute = (attribute: AttributeWanted, by: Actor): Command<boolean> => ({
  weight: 1,
  bytes: 0,
  want: (_, wanted) => {
    wanted.attributes.push(attribute);
    wanted.attributeCounts.push(attribute);
  },
  apply: (turn) => {
    const row: AttributeRow | null = turn.attributes.find(attribute);
    if (row === null) return false;
    turn.attributes.remove(row);
    note(turn, by, "user.remove-attribute", attribute);
    return true;
  },
});
