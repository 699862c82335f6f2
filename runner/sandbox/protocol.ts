/**
 * What supervisor and child say to each other: two tagged unions. The child believes the
 * supervisor; what the supervisor hears is checked in heard.ts, because a script may own the child.
 */
export type ToChild =
  | {
      readonly op: "init";
      readonly heapMb: number;
      /** The guest's own code as one script: see guest-bundle.ts. */
      readonly bootstrap: string;
      /** Of the bootstrap, as base64; empty: the child makes it, and says it. See code-cache.ts. */
      readonly codeCache: string;
    }
  | {
      readonly op: "run";
      /** Names this attempt on the pipe; every frame about it carries it. */
      readonly id: number;
      readonly code: string;
      readonly fileName: string;
      readonly input: string;
      /** JSON for the guest: see guest/bridge.ts, Attempt. */
      readonly attempt: string;
      /** When the guest's signal aborts, in ms from now. */
      readonly warnAfterMs: number;
    }
  | { readonly op: "cancel"; readonly id: number }
  | {
      readonly op: "reply";
      readonly id: number;
      /** The number of the call. */
      readonly call: number;
      readonly ok: boolean;
      /** JSON: the answer, or `{ code, message, name }` of the error. */
      readonly payload: string;
    };

export type FromChild =
  /** A spare isolate waits: the child can take an attempt. */
  | { readonly op: "ready" }
  /** Before it is ready, if it was given none. */
  | { readonly op: "cache"; /** Base64. */ readonly codeCache: string }
  | {
      readonly op: "output";
      readonly id: number;
      readonly stream: "STDOUT" | "STDERR" | "LOG";
      readonly text: string;
    }
  | {
      readonly op: "progress";
      readonly id: number;
      readonly fraction: number;
      readonly message: string;
      readonly step: number;
      readonly steps: number;
    }
  /** The script asks something of the runner: see host-calls.ts. */
  | {
      readonly op: "call";
      readonly id: number;
      /** Counts from 1 within an attempt. */
      readonly call: number;
      readonly name: string;
      /** JSON. */
      readonly payload: string;
    }
  | {
      readonly op: "succeeded";
      readonly id: number;
      readonly result: string;
      readonly cpuUs: number;
    }
  | {
      readonly op: "failed";
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly stack: string;
      /** Null: as is usual for the code. */
      readonly retryable: boolean | null;
      readonly cpuUs: number;
    };

/** The file that a script's positions refer to, by its language. */
export type ScriptFile = "script.js" | "script.ts";
