/** One name that a script finds. The documentation and the declarations are made from these. */
export type Entry<Name extends string = string> = {
  readonly name: Name;
  /** What it does, in Markdown, on one line of a table. */
  readonly doc: string;
  /** Its declaration as TypeScript: a member of `Context`, or a global without `declare`. */
  readonly declaration: string;
};

/** Entries that keep their names as a type, so that the bootstrap can be held to them. */
export const entries = <Name extends string>(list: readonly Entry<Name>[]): typeof list => list;
