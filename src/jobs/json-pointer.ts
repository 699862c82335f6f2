/** JSON Pointer (RFC 6901), for what it can find: `-` names nothing that is there. */

const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** True for the text of a pointer: empty, or steps that begin with `/` and escape `~` and `/`. */
export const isPointer = (text: string): boolean => /^(?:\/(?:[^~/]|~[01])*)*$/.test(text);

/** The pointer to a place that is told by names and indexes, from the outside in. */
export const pointerTo = (path: readonly (string | number)[]): string =>
  path.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** What is there; undefined if nothing is. `pointer` must be one. */
export const valueAt = (whole: unknown, pointer: string): unknown => {
  if (pointer === "") return whole;
  let value = whole;
  for (const step of pointer.slice(1).split("/")) {
    if (typeof value !== "object" || value === null) return undefined;
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    // An array has members that are no items of it, such as its length.
    if (Array.isArray(value) && !INDEX.test(name)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
};
