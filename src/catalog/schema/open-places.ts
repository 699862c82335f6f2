import type { ErrorObject } from "ajv/dist/2020.js";

/**
 * Where in an input a value stands that nobody knows yet: JSON Pointers (RFC 6901). What turns on
 * such a value is left to whoever knows it; what does not is checked.
 */
export type OpenPlaces = readonly string[];

/** Whether they hold turns on the values inside; an error of a branch of theirs may mean nothing. */
const TURNS_ON_VALUES: ReadonlySet<string> = new Set([
  ...["anyOf", "oneOf", "not", "if", "contains", "uniqueItems", "const", "enum"],
  ...["unevaluatedProperties", "unevaluatedItems"],
]);

/** The path itself, and every one around it. */
const upwards = (path: string): string[] => {
  const paths = [path];
  for (let rest = path; rest !== "";) {
    rest = rest.slice(0, rest.lastIndexOf("/"));
    paths.push(rest);
  }
  return paths;
};

/**
 * Those errors that stand whatever the open values will be. An open value itself is refused by a
 * place that takes nothing, and by nothing else.
 */
export const certain = (
  errors: readonly ErrorObject[],
  open: OpenPlaces,
): readonly ErrorObject[] => {
  const places = new Set(open);
  const aroundOpen = new Set(open.flatMap(upwards));
  const undecided = new Set(
    errors
      .filter(
        ({ keyword, instancePath }) => TURNS_ON_VALUES.has(keyword) && aroundOpen.has(instancePath),
      )
      .map(({ instancePath }) => instancePath),
  );
  return errors.filter(({ keyword, instancePath }) => {
    const around = upwards(instancePath);
    if (around.some((path) => undecided.has(path))) return false;
    return keyword === "false schema" || !around.some((path) => places.has(path));
  });
};
