import { type FieldFault, JobFault } from "../../jobs/errors.ts";

/**
 * Collects everything that is wrong with one message, so that a caller learns it all at once.
 * `at` is the path of the message itself, such as `requests[3].`, and is put before each field.
 */
export type Faults = {
  /** The field breaks its limit; say the limit and what came instead. */
  add(field: string, description: string): void;
  /** The field asks for what this version does not do. */
  unsupported(field: string, description: string): void;
  /** The same collection, for a message inside this one. */
  inside(path: string): Faults;
  /** @throws JobFault INVALID_ARGUMENT, or NOT_SUPPORTED where nothing else is wrong */
  throwIfAny(): void;
};

const sentence = (faults: readonly FieldFault[]): string => {
  const [first] = faults;
  const rest = faults.length - 1;
  const more = rest === 0 ? "" : ` (and ${rest} more)`;
  return `${first?.field} ${first?.description}${more}`;
};

const collect = (at: string, wrong: FieldFault[], unsupported: FieldFault[]): Faults => ({
  add: (field, description) => {
    wrong.push({ field: `${at}${field}`, description });
  },
  unsupported: (field, description) => {
    unsupported.push({ field: `${at}${field}`, description });
  },
  inside: (path) => collect(`${at}${path}`, wrong, unsupported),
  throwIfAny: () => {
    if (wrong.length > 0) {
      const faults = [...wrong, ...unsupported];
      throw new JobFault("INVALID_ARGUMENT", sentence(faults), { faults });
    }
    if (unsupported.length > 0) {
      throw new JobFault("NOT_SUPPORTED", sentence(unsupported), { faults: unsupported });
    }
  },
});

export const collectFaults = (at = ""): Faults => collect(at, [], []);
