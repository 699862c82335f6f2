import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";

import type {
  OrganizationLimits,
  OrganizationLimitsSchema,
  OrganizationSchema,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import type { UserSchema } from "../../gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, type Permission, ROLES } from "../../jobs/abilities.ts";
import { LIMITS, ORGANIZATION_DEFAULTS } from "../../jobs/limits.ts";
import { NameTaken, type OrganizationRow, type UserRow } from "../../store/store.ts";
import { JobFault, type Reason } from "../../jobs/errors.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, numberWithin, text } from "./fields.ts";

/* Organizations and users between the wire and the store. */

/** Whitespace at the ends would tell names apart on one engine and not on the other. */
const PROPER = /^\S(?:.*\S)?$/su;
/** Line and paragraph separators end a line as well as a line feed does. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** A name for people: at least one character, nothing that cannot be seen at its ends. */
export const properName = (faults: Faults, field: string, value: string, max: number): string => {
  text(faults, field, value, max);
  if (value === "") faults.add(field, `must have 1 to ${max} characters; it is empty.`);
  else if (CONTROL.test(value))
    faults.add(field, "must hold no control characters and no line separators.");
  else if (!PROPER.test(value)) faults.add(field, "must not begin or end with white space.");
  return value;
};

type LimitColumns = Pick<OrganizationRow, "maxRunning" | "maxQueued" | "weight" | "retentionMs">;

/** `faults` speaks of the fields of the limits. Absent ones are null: the server's default. */
export const checkLimits = (
  faults: Faults,
  limits: OrganizationLimits | undefined,
): LimitColumns => {
  const orNull = (field: string, value: number | undefined, range: { min: number; max: number }) =>
    value === undefined ? null : numberWithin(faults, field, value, range);
  const retention = limits?.retention;
  return {
    maxRunning: orNull("max_running", limits?.maxRunning, LIMITS.maxRunning),
    maxQueued: orNull("max_queued", limits?.maxQueued, LIMITS.maxQueued),
    weight: orNull("weight", limits?.weight, LIMITS.weight),
    retentionMs:
      retention === undefined
        ? null
        : durationWithin(faults, "retention", retention, LIMITS.retentionMs, 0),
  };
};

const toLimits = (columns: LimitColumns): MessageInitShape<typeof OrganizationLimitsSchema> => ({
  ...(columns.maxRunning === null ? {} : { maxRunning: columns.maxRunning }),
  ...(columns.maxQueued === null ? {} : { maxQueued: columns.maxQueued }),
  ...(columns.weight === null ? {} : { weight: columns.weight }),
  ...(columns.retentionMs === null ? {} : { retention: durationFromMs(columns.retentionMs) }),
});

export const toOrganization = (
  row: OrganizationRow,
): MessageInitShape<typeof OrganizationSchema> => ({
  id: row.id,
  name: row.name,
  limits: toLimits(row),
  effectiveLimits: toLimits({
    maxRunning: row.maxRunning ?? ORGANIZATION_DEFAULTS.maxRunning,
    maxQueued: row.maxQueued ?? ORGANIZATION_DEFAULTS.maxQueued,
    weight: row.weight ?? ORGANIZATION_DEFAULTS.weight,
    retentionMs: row.retentionMs ?? ORGANIZATION_DEFAULTS.retentionMs,
  }),
  createTime: timestampFromMs(row.createdAt),
});

export const abilitiesOf = (permissions: readonly Permission[]): Permission[] =>
  ABILITIES.filter((ability) => permissions.includes(ability));

export const rolesOf = (permissions: readonly Permission[]): Permission[] =>
  ROLES.filter((role) => permissions.includes(role));

export const toUser = (row: UserRow): MessageInitShape<typeof UserSchema> => ({
  id: row.id,
  organizationId: row.organizationId,
  name: row.name,
  abilities: abilitiesOf(row.permissions),
  roles: rolesOf(row.permissions),
  disabled: row.disabledAt !== null,
  createTime: timestampFromMs(row.createdAt),
});

/** More than there are: repetitions do no harm. */
const MOST_NAMES = 50;

/** Names out of a closed list, each once, in the order of that list; a fault for each that is not of it. */
export const chosenFrom = <Name extends Permission>(
  faults: Faults,
  field: string,
  known: readonly Name[],
  names: readonly string[],
): Name[] => {
  if (names.length > MOST_NAMES) {
    faults.add(`${field}.names`, `must be at most ${MOST_NAMES}; there are ${names.length}.`);
    return [];
  }
  for (const [index, name] of names.entries()) {
    if ((known as readonly string[]).includes(name)) continue;
    const shown = name.length > 50 ? `${name.slice(0, 50)}…` : name;
    faults.add(`${field}.names[${index}]`, `must be one of ${known.join(", ")}; it is ${shown}.`);
  }
  return known.filter((name) => names.includes(name));
};

/** Runs a write that may find its name taken. @throws JobFault `reason` */
export const orAlreadyExists = async <T>(reason: Reason, write: () => Promise<T>): Promise<T> => {
  try {
    return await write();
  } catch (caught) {
    if (!(caught instanceof NameTaken)) throw caught;
    throw new JobFault(reason, "The name is taken. Choose another.", { cause: caught });
  }
};
