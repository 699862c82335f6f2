/** Types that the declarations use and that have no value. */
export const TYPES = `
/** How far the work has come. What is left out stays as it was. It never goes back. */
export interface Progress {
  /** 0.0 to 1.0. Without it, \`done\` of \`total\` counts, within the current step if there are steps. */
  readonly fraction?: number;
  readonly done?: number;
  readonly total?: number;
  /** The current step, from 1, and how many there are. */
  readonly step?: number;
  readonly steps?: number;
  /** At most 500 characters. */
  readonly message?: string;
}

/** A job to be submitted: a \`JobSpec\` of the contract in its JSON form; \`type\` or \`script\` is needed. */
export interface ChildJob {
  /** The name of a registered type. */
  readonly type?: string;
  /** The newest, if absent. */
  readonly typeVersion?: number;
  readonly script?: {
    readonly source: string;
    readonly language?: "SCRIPT_LANGUAGE_JAVASCRIPT" | "SCRIPT_LANGUAGE_TYPESCRIPT";
  };
  /** A JSON value of at most 1 MiB. */
  readonly input?: unknown;
  readonly name?: string;
  /** -100 to 100. */
  readonly priority?: number;
  /** RFC 3339, such as \`2026-01-31T12:00:00Z\`. */
  readonly runAt?: string;
  /** In seconds, such as \`30s\`. */
  readonly attemptTimeout?: string;
  readonly totalTimeout?: string;
  readonly retryPolicy?: {
    readonly maxRetries?: number;
    readonly initialBackoff?: string;
    readonly maxBackoff?: string;
    readonly multiplier?: number;
    readonly jitter?: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
  readonly concurrencyKey?: string;
  readonly callback?: { readonly url: string };
}

/** What a script's default export is: its result, as JSON, is the job's result. */
export type Script<Input = unknown, Result = unknown> = (
  input: Input,
  ctx: Context,
) => Result | Promise<Result>;

export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

export type HeadersInit =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string>>;

export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;

export interface RequestInit {
  readonly method?: string;
  readonly headers?: HeadersInit;
  /** At most 1 MiB. */
  readonly body?: BodyInit | null;
  readonly redirect?: "follow" | "error" | "manual";
  readonly signal?: AbortSignal | null;
}

export interface ResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersInit;
}

export type HashName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
`;
