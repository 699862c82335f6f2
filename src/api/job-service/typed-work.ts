import { isTypeName, type KnownType } from "../../catalog/job-type.ts";
import type { TypeRef } from "../../catalog/job-types.ts";
import type { JobSpec } from "../../gen/millrace/v1/job_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { JsonText } from "../../jobs/job.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkInput } from "../convert/input.ts";
import type { CheckedInput, TypedWork } from "../convert/typed-work.ts";
import type { JobApi } from "./api.ts";

/** What the catalog says to one spec; null if it names no type, or none that could be. */
export type Typed = TypedWork | JobFault | null;

type Group = { readonly ref: TypeRef; readonly indexes: number[] };

/** One for each type and version that is named, however many specs name it. */
const groupsOf = (specs: readonly (JobSpec | undefined)[]): Group[] => {
  const groups = new Map<string, Group>();
  for (const [index, spec] of specs.entries()) {
    if (spec?.work.case !== "type" || spec.typeVersion < 0) continue;
    const ref = { name: spec.work.value, version: spec.typeVersion };
    if (!isTypeName(ref.name)) continue;
    const key = `${ref.name} ${ref.version}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ref, indexes: [index] });
    else group.indexes.push(index);
  }
  return [...groups.values()];
};

/** Null for what the conversion will refuse by itself. */
const inputText = (spec: JobSpec | undefined): JsonText | null => {
  const faults = collectFaults();
  const json = checkInput(faults, spec?.input);
  return faults.found() === null ? json : null;
};

const checkInputs = async (
  { schemas }: Pick<JobApi, "schemas">,
  organizationId: OrganizationId,
  { inputSchema }: KnownType,
  specs: readonly (JobSpec | undefined)[],
): Promise<(CheckedInput | null)[]> => {
  if (inputSchema === null) return specs.map(() => null);
  const texts = specs.map(inputText);
  const given = texts.filter((text) => text !== null);
  const outcomes = await schemas.validate(organizationId, inputSchema, given);
  let next = 0;
  return texts.map((text) => {
    if (text === null) return null;
    const outcome = outcomes[next];
    next += 1;
    if (outcome === undefined) throw new Error("an input was not held against its schema");
    return outcome.ok
      ? { text: outcome.filled ?? text, faults: [] }
      : { text, faults: outcome.faults };
  });
};

/**
 * Looks up the types that specs name, and holds their inputs against the schemas: one look-up for
 * each type. One answer for each spec, in their order; JOB_TYPE_NOT_FOUND is one of them.
 */
export const findTypedWork = async (
  api: Pick<JobApi, "types" | "schemas">,
  organizationId: OrganizationId,
  specs: readonly (JobSpec | undefined)[],
): Promise<Typed[]> => {
  const found = specs.map((): Typed => null);
  const find = async ({ ref, indexes }: Group): Promise<void> => {
    try {
      const type = await api.types.known(organizationId, ref);
      const mine = indexes.map((index) => specs[index]);
      const inputs = await checkInputs(api, organizationId, type, mine);
      for (const [nth, index] of indexes.entries()) {
        found[index] = { type, input: inputs[nth] ?? null };
      }
    } catch (caught) {
      if (!(caught instanceof JobFault) || caught.reason !== "JOB_TYPE_NOT_FOUND") throw caught;
      for (const index of indexes) found[index] = caught;
    }
  };
  await Promise.all(groupsOf(specs).map(find));
  return found;
};
