import type { Handler, InputOf, ResultOf } from "../../runner/index.ts";

/**
 * Workflows that the compiler checks: a step may take a value out of an earlier step only where that
 * step's result has one, and only where its own input takes such a value. What comes out is what
 * `millrace workflow submit` reads.
 */
declare const types: unique symbol;

/** What a step runs, with the types of its input and its result. */
export type Work<Input, Result> = {
  readonly json: Readonly<Record<string, unknown>>;
  readonly [types]?: { readonly input: Input; readonly result: Result };
};

// oxlint-disable-next-line typescript/no-explicit-any
type AnyHandler = Handler<any, any, any>;

/** A registered type that this handler does. */
export const handler = <H extends AnyHandler>(type: string): Work<InputOf<H>, ResultOf<H>> => ({
  json: { type },
});

/** A script; nobody checks that it is of these types. */
export const script = <Input, Result>(file: string): Work<Input, Result> => ({
  json: { script: { file } },
});

/** Stands for a value of that type until the step starts. */
export type Bound<Value> = {
  readonly $from: string;
  readonly pointer: string;
  readonly [types]?: Value;
};

/** An input in which bound values may stand, at any depth. */
export type Bindable<Value> =
  | Value
  | Bound<Value>
  | (Value extends readonly (infer Item)[]
      ? readonly Bindable<Item>[]
      : Value extends object
        ? { readonly [Key in keyof Value]: Bindable<Value[Key]> }
        : never);

/** JSON Pointers into a value. */
export type Pointer<Value> =
  | ""
  | (Value extends readonly (infer Item)[]
      ? `/${number}${Pointer<Item>}`
      : Value extends object
        ? { [Key in keyof Value & string]: `/${Key}${Pointer<Value[Key]>}` }[keyof Value & string]
        : never);

type Inner<Value, Key extends string> = Value extends readonly (infer Item)[]
  ? Item
  : Key extends keyof Value
    ? Value[Key]
    : never;

/** The value at a pointer. */
export type At<Value, Path extends string> = Path extends ""
  ? Value
  : Path extends `/${infer Key}/${infer Rest}`
    ? At<Inner<Value, Key>, `/${Rest}`>
    : Path extends `/${infer Key}`
      ? Inner<Value, Key>
      : never;

/** Names of steps with the types of their results. */
type Results = Readonly<Record<string, unknown>>;

export type From<Known extends Results> = <
  Step extends keyof Known & string,
  Path extends Pointer<Known[Step]>,
>(
  step: Step,
  pointer: Path,
) => Bound<At<Known[Step], Path>>;

type Options<Known extends Results> = {
  /** Beside the steps that the input takes values of. */
  readonly after?: readonly (keyof Known & string)[];
  /** Any other field of a job specification. */
  readonly spec?: Readonly<Record<string, unknown>>;
};

export type TypedWorkflow<Known extends Results> = {
  step<Name extends string, Input, Result>(
    name: Name extends keyof Known ? never : Name,
    work: Work<Input, Result>,
    input: (from: From<Known>) => Bindable<Input>,
    options?: Options<Known>,
  ): TypedWorkflow<Known & Readonly<Record<Name, Result>>>;
  /** As a file for `millrace workflow submit`. */
  readonly file: { readonly name: string; readonly steps: Readonly<Record<string, unknown>> };
};

const build = <Known extends Results>(
  name: string,
  steps: Readonly<Record<string, unknown>>,
): TypedWorkflow<Known> => ({
  file: { name, steps },
  step: (step, { json }, input, { after = [], spec = {} } = {}) => {
    const from = (upstream: string, pointer: string) => ({ $from: upstream, pointer });
    const made = { ...json, ...spec, input: input(from), after };
    return build(name, { ...steps, [step]: made });
  },
});

export const workflow = (name: string): TypedWorkflow<{}> => build(name, {});
