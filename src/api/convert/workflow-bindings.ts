import type { Value } from "@bufbuild/protobuf/wkt";

import type { Checkable } from "../../catalog/schema/compile.ts";
import { isPointer, pointerTo } from "../../jobs/json-pointer.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Binding } from "../../jobs/workflow.ts";
import type { Faults } from "./faults.ts";
import { plainOf } from "./json-value.ts";

/** A binding as it was written: it names a step, which is no job yet. */
export type GivenBinding = Omit<Binding, "upstreamId"> & {
  /** Where it stands, as a JSON Pointer into the input. */
  readonly at: string;
};

/** What an input takes out of other steps. */
export type BoundInput = {
  readonly bindings: readonly GivenBinding[];
  /** The input with what is known of it: a default where a binding has one, an open place where not. */
  readonly known: Checkable;
};

export const UNBOUND: BoundInput = { bindings: [], known: { text: "null", open: [] } };

const FROM = "$from";
const MEMBERS: ReadonlySet<string> = new Set([FROM, "pointer", "of", "default"]);

const LONGEST_POINTER = 1_000;

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isBinding = (value: unknown): value is Members =>
  isObject(value) && Object.hasOwn(value, FROM);

const holdsBinding = (value: unknown): boolean =>
  isBinding(value) ||
  (typeof value === "object" && value !== null && Object.values(value).some(holdsBinding));

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 120).toWellFormed();

const pointerOf = (faults: Faults, at: string, pointer: unknown): string => {
  if (pointer === undefined) return "";
  if (typeof pointer !== "string" || !isPointer(pointer)) {
    faults.add(`${at}/pointer`, `must be a JSON Pointer such as "/id"; it is ${shown(pointer)}.`);
    return "";
  }
  if (pointer.length > LONGEST_POINTER) {
    const much = `it has ${pointer.length}`;
    faults.add(`${at}/pointer`, `must have at most ${LONGEST_POINTER} characters; ${much}.`);
  }
  return pointer;
};

const bindingOf = (
  faults: Faults,
  at: string,
  path: GivenBinding["path"],
  value: Members,
): GivenBinding => {
  for (const name of Object.keys(value)) {
    if (MEMBERS.has(name)) continue;
    const allowed = "beside $from stand pointer, of and default";
    faults.add(`${at}${pointerTo([name])}`, `is no member of a binding: ${allowed}.`);
  }
  const { [FROM]: step, of = "result", default: fallback } = value;
  if (typeof step !== "string") {
    faults.add(`${at}/${FROM}`, `must be the name of a step; it is ${shown(step)}.`);
  }
  if (of !== "result" && of !== "error") {
    faults.add(`${at}/of`, `must be "result" or "error"; it is ${shown(of)}.`);
  }
  if (holdsBinding(fallback)) faults.add(`${at}/default`, "must not hold a binding of its own.");
  return {
    path,
    at,
    step: typeof step === "string" ? step : "",
    of: of === "error" ? "error" : "result",
    pointer: pointerOf(faults, at, value["pointer"]),
    fallback: fallback === undefined ? null : JSON.stringify(fallback),
  };
};

/** A path is written down with each binding: a long name with many inside must not multiply. */
class Room {
  #characters: number = LIMITS.inputBytes;
  takes({ at, pointer, fallback }: GivenBinding): boolean {
    this.#characters -= at.length + pointer.length + (fallback?.length ?? 0);
    return this.#characters >= 0;
  }
}

const walk = (faults: Faults, input: unknown): BoundInput => {
  const bindings: GivenBinding[] = [];
  const room = new Room();
  let full = false;
  const known = (value: unknown, at: string, path: GivenBinding["path"]): unknown => {
    if (full || typeof value !== "object" || value === null) return value;
    const inside = (inner: unknown, name: string | number): unknown =>
      known(inner, `${at}${pointerTo([name])}`, [...path, name]);
    if (Array.isArray(value)) return value.map(inside);
    if (!isBinding(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, inside(inner, name)]),
      );
    }
    const binding = bindingOf(faults.inside("input"), at, path, value);
    if (!room.takes(binding) || bindings.length === LIMITS.workflowBindings) {
      full = true;
      return null;
    }
    bindings.push(binding);
    return value["default"] ?? null;
  };
  const value = known(input, "", []);
  if (full) {
    const most = `${LIMITS.workflowBindings} bindings, with paths of ${LIMITS.inputBytes} characters in all`;
    faults.add("input", `must hold at most ${most}; it holds more.`);
  }
  if (bindings.length === 0) return UNBOUND;
  const open = bindings.filter(({ fallback }) => fallback === null).map(({ at }) => at);
  return { bindings, known: { text: JSON.stringify(value), open } };
};

/** The bindings of an input, wherever in it they stand. `faults` speaks of the spec around it. */
export const findBindings = (faults: Faults, given: Value | undefined): BoundInput => {
  if (given === undefined) return UNBOUND;
  try {
    return walk(faults, plainOf(given));
  } catch (caught) {
    // No JSON value: said by whoever checks the input.
    if (!(caught instanceof RangeError)) throw caught;
    return UNBOUND;
  }
};
