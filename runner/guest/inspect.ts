import { errorText } from "./describe.ts";
import {
  getPrototypeOf,
  GuestDate,
  GuestError,
  GuestMap,
  GuestSet,
  isArray,
  isoText,
  jsonStringify,
  keys,
  list,
  mapForEach,
  setForEach,
  toText,
} from "./primordials.ts";

const DEEPEST = 3;
const MOST_ENTRIES = 100;

/** `path` holds the objects on the way down, to stop at circles; `room` the characters still allowed. */
type Walk = { readonly fileName: string; readonly path: object[]; room: number };

/** A value as one line of text for people, in the manner of Node's console; about `room` characters. */
export const inspect = (value: unknown, fileName: string, room: number): string =>
  typeof value === "string" ? value : show(value, { fileName, path: list(), room });

const show = (value: unknown, walk: Walk): string => {
  const text = typeof value === "object" && value !== null ? showObject(value, walk) : atom(value);
  walk.room -= text.length;
  return text;
};

const atom = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return jsonStringify(value);
    case "bigint":
      return `${toText(value)}n`;
    case "function":
      return "[Function]";
    default:
      return toText(value);
  }
};

const showObject = (value: object, walk: Walk): string => {
  if (value instanceof GuestError) return errorText(value, walk.fileName);
  if (value instanceof GuestDate) return isoText(value);
  for (let i = 0; i < walk.path.length; i++) if (walk.path[i] === value) return "[Circular]";
  const depth = walk.path.length;
  if (depth === DEEPEST) return isArray(value) ? "[Array]" : "[Object]";
  walk.path[depth] = value;
  const text = showEntries(value, walk);
  walk.path.length = depth;
  return text;
};

const showEntries = (value: object, walk: Walk): string => {
  const list = new Listing(walk);
  if (isArray(value)) {
    for (let i = 0; i < value.length && list.open(); i++) list.add(show(value[i], walk));
    return list.close("[", "]");
  }
  if (value instanceof GuestMap) {
    mapForEach(value, (item, key) => {
      if (list.open()) list.add(`${show(key, walk)} => ${show(item, walk)}`);
    });
    return `Map ${list.close("{", "}")}`;
  }
  if (value instanceof GuestSet) {
    setForEach(value, (item) => {
      if (list.open()) list.add(show(item, walk));
    });
    return `Set ${list.close("{", "}")}`;
  }
  const names = keys(value);
  for (let i = 0; i < names.length && list.open(); i++) {
    const name = names[i] as string;
    list.add(`${name}: ${show((value as Record<string, unknown>)[name], walk)}`);
  }
  return list.close(getPrototypeOf(value) === null ? "[null prototype] {" : "{", "}");
};

class Listing {
  readonly #walk: Walk;
  #text = "";
  #count = 0;
  #cut = false;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  open(): boolean {
    if (this.#count < MOST_ENTRIES && this.#walk.room > 0) return true;
    this.#cut = true;
    return false;
  }

  add(entry: string): void {
    this.#text += this.#count === 0 ? entry : `, ${entry}`;
    this.#count += 1;
  }

  close(left: string, right: string): string {
    if (this.#count === 0) return `${left}${right}`;
    return `${left} ${this.#text}${this.#cut ? ", …" : ""} ${right}`;
  }
}
