/**
 * The arguments of a command as its operator wrote them, with places for the values of a job. An
 * argument comes out of exactly one argument of the template, whatever its value holds: nothing is
 * split, and no shell reads it.
 */
export type Template = readonly Group[];

/** Kept or left out as a whole. */
export type Group = {
  readonly pieces: readonly Piece[];
  /** A `--` has come before. */ readonly plain: boolean;
};

export type Piece =
  | { readonly kind: "one"; readonly parts: readonly Part[] }
  /** `{name...}`: as many arguments as the array has items. */
  | { readonly kind: "many"; readonly name: string };

export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly name: string; readonly optional: boolean };

/** What a template says of one of its places. */
export type Place = { readonly name: string; readonly needed: boolean };

export class TemplateFault extends Error {
  override readonly name = "TemplateFault";
}

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_-]*|job\.[a-z_]+)(\?|\.\.\.)?$/;

type Argv = readonly (string | readonly string[])[];

/** Without the program. @throws TemplateFault */
export const parseTemplate = (argv: Argv): Template => {
  let plain = false;
  return argv.map((given) => {
    const group = { pieces: (typeof given === "string" ? [given] : given).map(parsePiece), plain };
    plain ||= given === "--";
    return group;
  });
};

const parsePiece = (text: string): Piece => {
  const parts: Part[] = [];
  let many: string | null = null;
  let end = 0;
  const add = (more: string): void => {
    if (more !== "") parts.push({ kind: "text", text: more });
  };
  for (const { 0: token, 1: inner, index } of text.matchAll(TOKEN)) {
    add(text.slice(end, index));
    end = index + token.length;
    if (token === "{{" || token === "}}") {
      add(token.slice(1));
      continue;
    }
    const [, name, suffix] = NAME.exec(inner ?? "") ?? [];
    if (name === undefined) {
      throw new TemplateFault(
        `${JSON.stringify(text)}: ${token} is no place for a value; it is {name}, {name?} or {name...}, and {{ stands for a brace`,
      );
    }
    if (suffix === "...") many = name;
    else parts.push({ kind: "value", name, optional: suffix === "?" });
  }
  add(text.slice(end));
  if (many === null) return { kind: "one", parts };
  if (text !== `{${many}...}` || many.startsWith("job.")) {
    throw new TemplateFault(`${JSON.stringify(text)}: {${many}...} must stand alone`);
  }
  return { kind: "many", name: many };
};

export const placesOf = (template: Template): Place[] =>
  template.flatMap(({ pieces }) =>
    pieces.flatMap((piece) =>
      piece.kind === "many"
        ? [{ name: piece.name, needed: false }]
        : piece.parts.flatMap((part) =>
            part.kind === "value" ? [{ name: part.name, needed: !part.optional }] : [],
          ),
    ),
  );
