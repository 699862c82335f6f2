/** Values of earlier jobs that go into the input of a later one. */
import type { JobId } from "./ids.ts";
import type { JobError, JsonText } from "./job.ts";
import { pointerTo, valueAt } from "./json-pointer.ts";
import { LIMITS } from "./limits.ts";
import { isNestedAtMost } from "./nesting.ts";
import type { JobState } from "./states.ts";
import type { Binding } from "./workflow.ts";

/** What became of a job whose values others take. */
export type Upstream = {
  readonly state: JobState;
  /** Of its newest attempt; null if it did not fail. */
  readonly error: Pick<JobError, "code" | "message"> | null;
  readonly cancelReason: string;
  /** Null if it did not succeed, or its result is not there any more. */
  readonly result: JsonText | null;
};

export type Resolved =
  | { readonly kind: "input"; readonly input: JsonText }
  | { readonly kind: "failed"; readonly error: JobError };

/**
 * A value with its size as JSON, in bytes; or why there is none. `read`: how many characters of a
 * result had to be read to know.
 */
export type Picked =
  | {
      readonly kind: "value";
      readonly value: unknown;
      readonly bytes: number;
      readonly read: number;
    }
  | { readonly kind: "missing"; readonly read: number }
  | { readonly kind: "gone" };

/** The stored text of SpecRow.bindings. */
export const bindingsOf = (text: JsonText): readonly Binding[] =>
  text === "" ? [] : (JSON.parse(text) as Binding[]);

const asError = ({ state, error, cancelReason }: Upstream): Upstream["error"] => {
  switch (state) {
    case "SUCCEEDED":
      return null;
    case "CANCELLED":
      return { code: "cancelled", message: cancelReason || "The step was cancelled." };
    default:
      if (error !== null) return { code: error.code, message: error.message };
      return { code: "step.retried", message: "The step is given another attempt." };
  }
};

/**
 * Picks values out of what one job came to. Its result is parsed once, however many values are
 * taken out of it, and a value that is taken twice is one value in memory.
 */
export const pickFrom = (upstream: Upstream): ((binding: Binding) => Picked) => {
  const picked = new Map<string, Picked>();
  let parsed: { readonly value: unknown } | null = null;
  const wholeOf = (of: Binding["of"]): { readonly value: unknown } | "missing" | "gone" => {
    if (of === "error") return { value: asError(upstream) };
    if (upstream.state !== "SUCCEEDED") return "missing";
    if (upstream.result === null) return "gone";
    return (parsed ??= { value: JSON.parse(upstream.result) as unknown });
  };
  const pick = ({ of, pointer }: Binding): Picked => {
    const whole = wholeOf(of);
    if (whole === "gone") return { kind: whole };
    if (whole === "missing") return { kind: whole, read: 0 };
    const read = of === "error" ? 0 : (upstream.result?.length ?? 0);
    const value = valueAt(whole.value, pointer);
    if (value === undefined) return { kind: "missing", read };
    return { kind: "value", value, bytes: Buffer.byteLength(JSON.stringify(value)), read };
  };
  return (binding) => {
    const key = `${binding.of}${binding.pointer}`;
    let known = picked.get(key);
    if (known === undefined) {
      known = pick(binding);
      picked.set(key, known);
    }
    return known;
  };
};

const failed = (code: string, message: string): JobError => ({
  code,
  message,
  stack: "",
  retryable: false,
});

const whereOf = ({ path }: Binding): string =>
  path.length === 0 ? "the input" : `the input at ${pointerTo(path)}`;

const missing = (binding: Binding): JobError => {
  const { step, of, pointer } = binding;
  const what = pointer === "" ? `no ${of}` : `nothing at ${pointer} in its ${of}`;
  return failed(
    "binding.missing",
    `${whereOf(binding)} takes a value of step "${step}", which has ${what}`,
  );
};

const gone = (binding: Binding): JobError =>
  failed(
    "binding.gone",
    `${whereOf(binding)} takes a value of step "${binding.step}", whose result has been removed`,
  );

const TOO_LARGE = failed(
  "binding.too_large",
  `with the values of earlier steps the input has more than ${LIMITS.inputBytes} bytes`,
);

const TOO_MUCH = failed(
  "binding.too_large",
  `the results that the input takes values of have more than ${LIMITS.boundResultsLength} characters together`,
);

const TOO_DEEP = failed(
  "binding.too_large",
  `with the values of earlier steps the input is nested deeper than ${LIMITS.jsonDepth} levels`,
);

const DAMAGED = failed("job.damaged", "the input of this job has no place for its bindings");

/** Puts a value where the template holds a binding; false if it has no such place. */
const put = (root: { value: unknown }, path: Binding["path"], value: unknown): boolean => {
  let holder: object = root;
  let name: string | number = "value";
  for (const next of path) {
    const inner: unknown = Reflect.get(holder, name);
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, next)) return false;
    holder = inner;
    name = next;
  }
  // Assigning to a member that is called `__proto__` would do something else.
  return Reflect.defineProperty(holder, name, { value, writable: true, enumerable: true });
};

/**
 * An input in the making. It holds no more than the limit of an input, and nothing once it has
 * failed: values may be brought one after another, and those that it does not take forgotten.
 */
export class InputDraft {
  readonly #template: JsonText;
  readonly #values: { readonly path: Binding["path"]; readonly value: unknown }[] = [];
  #bytes = 0;
  /** Of which results something has been taken, and how long they are together. */
  readonly #sources = new Set<JobId>();
  #read = 0;
  #error: JobError | null = null;

  constructor(template: JsonText) {
    this.#template = template;
  }

  /** Nothing that is added changes it any more. */
  get hasFailed(): boolean {
    return this.#error !== null;
  }

  add(binding: Binding, picked: Picked): void {
    if (this.#error !== null) return;
    if (picked.kind === "gone") {
      this.#fail(gone(binding));
      return;
    }
    this.#count(binding, picked.read);
    if (picked.kind === "value") {
      this.#take(binding, picked.value, picked.bytes);
    } else if (binding.fallback === null) {
      this.#fail(missing(binding));
    } else {
      const value = JSON.parse(binding.fallback) as unknown;
      this.#take(binding, value, Buffer.byteLength(binding.fallback));
    }
  }

  /** The input, once every binding has been added. */
  finish(): Resolved {
    if (this.#error !== null) return { kind: "failed", error: this.#error };
    const root = { value: JSON.parse(this.#template) as unknown };
    for (const { path, value } of this.#values) {
      if (!put(root, path, value)) return { kind: "failed", error: DAMAGED };
    }
    if (!isNestedAtMost(root.value, LIMITS.jsonDepth)) return { kind: "failed", error: TOO_DEEP };
    const input = JSON.stringify(root.value);
    const fits = Buffer.byteLength(input) <= LIMITS.inputBytes;
    return fits ? { kind: "input", input } : { kind: "failed", error: TOO_LARGE };
  }

  #count({ upstreamId }: Binding, read: number): void {
    if (read === 0 || this.#sources.has(upstreamId)) return;
    this.#sources.add(upstreamId);
    this.#read += read;
    if (this.#read > LIMITS.boundResultsLength) this.#fail(TOO_MUCH);
  }

  #take(binding: Binding, value: unknown, bytes: number): void {
    if (this.#error !== null) return;
    this.#bytes += bytes;
    if (this.#bytes > LIMITS.inputBytes) this.#fail(TOO_LARGE);
    else this.#values.push({ path: binding.path, value });
  }

  #fail(error: JobError): void {
    this.#error = error;
    this.#values.length = 0;
  }
}
