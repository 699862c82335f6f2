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
  /** INVALID_ARGUMENT, or NOT_SUPPORTED where nothing else is wrong; null if nothing is. */
  found(): JobFault | null;
  /** @throws JobFault what was found */
  throwIfAny(): void;
};

const sentence = (faults: readonly FieldFault[]): string => {
  const [first] = faults;
  const rest = faults.length - 1;
  const more = rest === 0 ? "" : ` (and ${rest} more)`;
  return `${first?.field} ${first?.description}${more}`;
};

const collect = (at: string, wrong: FieldFault[], unsupported: FieldFault[]): Faults => {
  const found = (): JobFault | null => {
    if (wrong.length > 0) {
      const faults = [...wrong, ...unsupported];
      return new JobFault("INVALID_ARGUMENT", sentence(faults), { faults });
    }
    if (unsupported.length === 0) return null;
    return new JobFault("NOT_SUPPORTED", sentence(unsupported), { faults: unsupported });
  };
  return {
    add: (field, description) => {
      wrong.push({ field: `${at}${field}`, description });
    },
    unsupported: (field, description) => {
      unsupported.push({ field: `${at}${field}`, description });
    },
    inside: (path) => collect(`${at}${path}`, wrong, unsupported),
    found,
    throwIfAny: () => {
      const fault = found();
      if (fault !== null) throw fault;
    },
  };
};

/** One field that is wrong, where nothing else can be. `description` follows the field: "is missing." */
export const invalidField = (field: string, description: string): JobFault =>
  new JobFault("INVALID_ARGUMENT", `${field} ${description}`, { faults: [{ field, description }] });

export const collectFaults = (at = ""): Faults => collect(at, [], []);
