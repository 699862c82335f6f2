import { isTypeName, type KnownType } from "../../catalog/job-type.ts";
import type { TypeRef } from "../../catalog/job-types.ts";
import type { Checkable } from "../../catalog/schema/compile.ts";
import type { JobSpec } from "../../gen/millrace/v1/job_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { JsonText } from "../../jobs/job.ts";
import { collectFaults } from "../convert/faults.ts";
import { checkInput } from "../convert/input.ts";
import type { CheckedInput, TypedWork } from "../convert/typed-work.ts";
import type { BoundInput } from "../convert/workflow-bindings.ts";
import type { JobApi } from "./api.ts";

/** What the catalog says to one spec; null if it names no type, or none that could be. */
export type Typed = TypedWork | JobFault | null;

/** A spec, and what its input takes out of other jobs. */
type Asked = { readonly spec: JobSpec | undefined; readonly bound: BoundInput };

type Group = { readonly ref: TypeRef; readonly indexes: number[] };

/** One for each type and version that is named, however many specs name it. */
const groupsOf = (asked: readonly Asked[]): Group[] => {
  const groups = new Map<string, Group>();
  for (const [index, { spec }] of asked.entries()) {
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

/** As it is kept, and as it is checked; null for what the conversion will refuse by itself. */
type Input = { readonly text: JsonText; readonly checkable: Checkable };

const inputOf = ({ spec, bound }: Asked): Input | null => {
  const faults = collectFaults();
  const text = checkInput(faults, spec?.input);
  if (faults.found() !== null) return null;
  return { text, checkable: bound.bindings.length > 0 ? bound.known : { text, open: [] } };
};

const checkInputs = async (
  { schemas }: Pick<JobApi, "schemas">,
  organizationId: OrganizationId,
  { inputSchema }: KnownType,
  asked: readonly Asked[],
): Promise<(CheckedInput | null)[]> => {
  if (inputSchema === null) return asked.map(() => null);
  const inputs = asked.map(inputOf);
  const given = inputs.flatMap((input) => (input === null ? [] : [input.checkable]));
  const outcomes = await schemas.validate(organizationId, inputSchema, given);
  let next = 0;
  return inputs.map((input, index) => {
    if (input === null) return null;
    const outcome = outcomes[next];
    next += 1;
    if (outcome === undefined) throw new Error("an input was not held against its schema");
    const { text } = input;
    if (!outcome.ok) return { text, faults: outcome.faults };
    // With bindings it is filled in once they are resolved.
    const isBound = asked[index]?.bound.bindings.length !== 0;
    return { text: isBound ? text : (outcome.filled ?? text), faults: [] };
  });
};

/**
 * Looks up the types that specs name, and holds their inputs against the schemas: one look-up for
 * each type. One answer for each spec, in their order; JOB_TYPE_NOT_FOUND is one of them.
 */
export const findTypedWork = async (
  api: Pick<JobApi, "types" | "schemas">,
  organizationId: OrganizationId,
  asked: readonly Asked[],
): Promise<Typed[]> => {
  const found = asked.map((): Typed => null);
  const find = async ({ ref, indexes }: Group): Promise<void> => {
    try {
      const type = await api.types.known(organizationId, ref);
      const mine = indexes.flatMap((index) => asked[index] ?? []);
      const inputs = await checkInputs(api, organizationId, type, mine);
      for (const [nth, index] of indexes.entries()) {
        found[index] = { type, input: inputs[nth] ?? null };
      }
    } catch (caught) {
      if (!(caught instanceof JobFault) || caught.reason !== "JOB_TYPE_NOT_FOUND") throw caught;
      for (const index of indexes) found[index] = caught;
    }
  };
  await Promise.all(groupsOf(asked).map(find));
  return found;
};
