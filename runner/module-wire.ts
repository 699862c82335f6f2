/**
 * How a child comes by the modules that a script imports: it asks the supervisor with the host call
 * MODULE_CALL, before the script runs. The child believes the answer; the supervisor believes nothing.
 */
export const MODULE_CALL = "module";

/** For one attempt. Libraries count as modules, but not as text. */
export const MODULE_LIMITS = { modules: 50, textBytes: 4 * 1024 * 1024 } as const;

export type ModuleQuestion = { readonly specifier: string };

export type ModuleAnswer =
  | {
      readonly kind: "script";
      /** `script:<type name>@<version>`, or the file of the attempt's own script. */
      readonly file: string;
      /** Null: it was sent in this attempt before. */
      readonly code: string | null;
    }
  | ({ readonly kind: "library" } & LibraryText)
  /** A library that was sent in this attempt before. */
  | { readonly kind: "again" };

/** A library as one classic script: only for those does V8 make and take a code cache. */
export type LibraryText = {
  readonly name: string;
  /** Its value is an object with everything that the library exports. */
  readonly code: string;
};

/** The libraries that scripts may import. */
export type Libraries = {
  readonly names: readonly string[];
  /** Null if it is none of `names`. */
  get(name: string): Promise<LibraryText | null>;
};
