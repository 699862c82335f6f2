import type { Resolved } from "../jobs/bindings.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import type { JobError } from "../jobs/job.ts";
import type { Assignment } from "../jobs/report.ts";
import type { JobTypes } from "./job-types.ts";
import type { SchemaChecker } from "./schema/checker.ts";
import type { PathFault } from "./schema/faults.ts";

/** Of more faults only the number is told. */
const MOST_FAULTS = 10;

/** A line for each fault, as runners tell it of what they check themselves. */
const invalid = (faults: readonly PathFault[]): JobError => {
  const told = faults.slice(0, MOST_FAULTS);
  const lines = told.map(({ path, description }) => `input${path}: ${description}`);
  if (faults.length > told.length) lines.push(`and ${faults.length - told.length} more`);
  return { code: "input.invalid", message: lines.join("\n"), stack: "", retryable: false };
};

/**
 * Holds the input of a job against the schema of its type. Answers with the input, filled in with
 * the defaults of the schema, or with `input.invalid`.
 *
 * @throws whatever keeps it from being checked: JobFault, DatabaseError, Error
 */
export const createInputCheck =
  ({
    types,
    schemas,
  }: {
    readonly types: Pick<JobTypes, "known">;
    readonly schemas: Pick<SchemaChecker, "validate">;
  }) =>
  async (
    organizationId: OrganizationId,
    { type, typeVersion, input }: Pick<Assignment, "type" | "typeVersion" | "input">,
  ): Promise<Resolved> => {
    const ref = { name: type, version: typeVersion };
    const { inputSchema } = await types.known(organizationId, ref);
    if (inputSchema === null) return { kind: "input", input };
    const checkable = { text: input, open: [] };
    const [outcome] = await schemas.validate(organizationId, inputSchema, [checkable]);
    if (outcome === undefined) throw new Error("an input was not held against its schema");
    if (outcome.ok) return { kind: "input", input: outcome.filled ?? input };
    return { kind: "failed", error: invalid(outcome.faults) };
  };
