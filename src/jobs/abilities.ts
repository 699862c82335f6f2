/** What a user may be allowed to do with jobs (row C2). */
export const ABILITIES = [
  /** Submit jobs, and make schedules. */
  "jobs:create",
  /** See the jobs that he created or that act for him. */
  "jobs:view",
  "jobs:cancel",
  "jobs:retry",
  /** Submit jobs that act for another user of the organization. */
  "jobs:run-as",
] as const;

export type Ability = (typeof ABILITIES)[number];

export const ROLES = [
  /** Everything within the organization. */
  "admin",
  /** Reads the numbers of the organization. */
  "job-read",
  /** Reports on running jobs with UpdateJob. */
  "job-write",
] as const;

export type Role = (typeof ROLES)[number];

/** One vocabulary for what a caller may do: abilities and roles. */
export type Permission = Ability | Role;

export const PERMISSIONS: readonly Permission[] = [...ABILITIES, ...ROLES];

/** What a user has who was given nothing in particular. */
export const MEMBER_PERMISSIONS: readonly Permission[] = [
  "jobs:create",
  "jobs:view",
  "jobs:cancel",
  "jobs:retry",
];

/**
 * What a job's own token may do of what its operational user may. A job runs what its creator
 * submitted, who may be able to do less than the user it acts for: hence nothing that changes who
 * may do what (`admin`), passes the right on (`jobs:run-as`), or speaks of other jobs (`job-write`).
 */
export const JOB_TOKEN_PERMISSIONS: readonly Permission[] = [...MEMBER_PERMISSIONS, "job-read"];

export const isPermission = (text: string): text is Permission =>
  (PERMISSIONS as readonly string[]).includes(text);

/** All that follows from what was given: an admin may do everything. */
export const impliedBy = (given: Iterable<Permission>): ReadonlySet<Permission> => {
  const set = new Set(given);
  return set.has("admin") ? new Set(PERMISSIONS) : set;
};

/**
 * What a token may do: what its user may, or the part of it that the token was given. Without
 * "admin" among that part it does not speak as an admin, whatever its user is.
 */
export const permittedTo = (
  user: readonly Permission[],
  token: readonly Permission[] | null,
): ReadonlySet<Permission> => {
  const all = impliedBy(user);
  if (token === null) return all;
  return new Set([...impliedBy(token)].filter((permission) => all.has(permission)));
};
