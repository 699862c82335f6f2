import type { InputFault } from "../input-faults.ts";
import type { Group, Part, Template } from "./template.ts";

export type Arguments =
  | { readonly ok: true; readonly args: readonly string[] }
  | { readonly ok: false; readonly faults: readonly InputFault[] };

export type ArgumentOptions = {
  /** What stands for the places of the template. One that is not there is missing. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Parameters whose values may begin with a dash where an option could stand. */
  readonly mayDash: ReadonlySet<string>;
};

/** Linux takes 128 KiB for one, with the NUL at its end, and 2 MiB for all with the environment. */
const ARGUMENT_BYTES = 128 * 1024 - 1;
const ALL_BYTES = 1024 * 1024;
const MOST_ARGUMENTS = 10_000;
/** A pointer and a NUL. */
const BYTES_BESIDE = 9;

/** What one piece comes to; its arguments are undefined if its group is to be left out. */
type Made = { readonly args?: readonly string[]; readonly faults: readonly InputFault[] };

export const argumentsOf = (template: Template, options: ArgumentOptions): Arguments => {
  const made = template.map((group) => fromGroup(group, options));
  const args = made.flatMap((group) => group.args ?? []);
  const faults = [...made.flatMap((group) => group.faults), ...sizeFaults(args)];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, args };
};

const fromGroup = ({ pieces, plain }: Group, options: ArgumentOptions): Made => {
  const made = pieces.map((piece) =>
    piece.kind === "many"
      ? fromList(piece.name, plain, options)
      : fromParts(piece.parts, plain, options),
  );
  const faults = made.flatMap((piece) => piece.faults);
  if (made.some(({ args }) => args === undefined)) return { faults };
  return { args: made.flatMap(({ args }) => args ?? []), faults };
};

const fromList = (name: string, plain: boolean, { values, mayDash }: ArgumentOptions): Made => {
  const path = `/${name}`;
  const list = values.get(name);
  if (list === undefined) return { faults: [] };
  if (!Array.isArray(list)) return { faults: [{ path, description: "must be an array." }] };
  if (list.length === 0) return { faults: [] };
  const dashes = plain || mayDash.has(name);
  return {
    args: list.map(textOf),
    faults: list.flatMap((item: unknown, index) => {
      const at = `${path}/${index}`;
      return [...textFaults(item, at), ...argumentFaults(textOf(item), at, dashes)];
    }),
  };
};

const fromParts = (
  parts: readonly Part[],
  plain: boolean,
  { values, mayDash }: ArgumentOptions,
): Made => {
  const faults: InputFault[] = [];
  let arg = "";
  /** The parameter that the argument begins with; empty once the operator's own text does. */
  let leader = "";
  let last = "";
  for (const part of parts) {
    if (part.kind === "text") {
      arg += part.text;
      continue;
    }
    const value = values.get(part.name);
    if (value === undefined && part.optional) return { faults: [] };
    faults.push(...textFaults(value, `/${part.name}`));
    if (arg === "") leader = part.name;
    last = part.name;
    arg += textOf(value);
  }
  const dashes = plain || leader === "" || mayDash.has(leader);
  return { args: [arg], faults: [...faults, ...argumentFaults(arg, `/${leader || last}`, dashes)] };
};

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "";

const textFaults = (value: unknown, path: string): readonly InputFault[] => {
  switch (typeof value) {
    case "number":
    case "boolean":
      return [];
    case "string":
      if (value.includes("\0")) return [{ path, description: "must not hold a NUL." }];
      return value.isWellFormed() ? [] : [{ path, description: "must be Unicode text." }];
    case "undefined":
      return [{ path, description: "is missing." }];
    default:
      return [{ path, description: "must be a text, a number or a boolean." }];
  }
};

const argumentFaults = (arg: string, path: string, dashes: boolean): readonly InputFault[] => {
  const faults: InputFault[] = [];
  if (arg.startsWith("-") && !dashes) {
    faults.push({ path, description: "must not begin with a dash: it would be an option." });
  }
  const bytes = Buffer.byteLength(arg);
  if (bytes > ARGUMENT_BYTES) {
    const description = `makes an argument of ${bytes} bytes; at most ${ARGUMENT_BYTES} are allowed.`;
    faults.push({ path, description });
  }
  return faults;
};

const sizeFaults = (args: readonly string[]): readonly InputFault[] => {
  const bytes = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + BYTES_BESIDE, 0);
  const faults: InputFault[] = [];
  if (args.length > MOST_ARGUMENTS) {
    const description = `makes ${args.length} arguments; at most ${MOST_ARGUMENTS} are allowed.`;
    faults.push({ path: "", description });
  }
  if (bytes > ALL_BYTES) {
    const description = `makes arguments of ${bytes} bytes; at most ${ALL_BYTES} are allowed.`;
    faults.push({ path: "", description });
  }
  return faults;
};
