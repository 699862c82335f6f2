/** What the server and the worker that checks inputs say to each other: one question, one answer. */
import type { JsonText } from "../../jobs/job.ts";
import type { Checkable, InputOutcome } from "./compile.ts";
import type { PathFault } from "./faults.ts";

export type Question =
  | { readonly kind: "check"; readonly schema: JsonText }
  | {
      readonly kind: "validate";
      /** SHA-256 of the schema's text, in hex. */
      readonly key: string;
      /** Null: the worker should know it. */
      readonly schema: JsonText | null;
      readonly inputs: readonly Checkable[];
    };

export type Answer =
  | { readonly kind: "checked"; readonly faults: readonly PathFault[] }
  | { readonly kind: "validated"; readonly outcomes: readonly InputOutcome[] }
  /** Ask again, with the text. */
  | { readonly kind: "unknown" }
  /** A schema that was accepted once, and is no more. */
  | { readonly kind: "unusable"; readonly message: string };
