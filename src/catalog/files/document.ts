import { isMap, isSeq, LineCounter, type Node, parseDocument } from "yaml";

/** Something wrong in a file. Lines count from 1; null if it is the file as a whole. */
export type FileFault = {
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
};

/** A YAML or JSON file, with the lines on which its parts stand. */
export type FileDocument = {
  readonly value: unknown;
  /** Where the part at that path stands, or the innermost part around it that is there. */
  lineOf(path: readonly string[]): number | null;
};

const sameName = (a: string, b: string): boolean =>
  a === b || a.replaceAll("_", "").toLowerCase() === b.replaceAll("_", "").toLowerCase();

const child = (
  node: Node | null,
  name: string,
): { readonly at: Node; readonly to: Node } | null => {
  if (isMap<Node, Node | null>(node)) {
    // The contract's JSON takes `max_running` and `maxRunning` alike.
    const pair = node.items.find(({ key }) => sameName(String(key), name));
    return pair === undefined ? null : { at: pair.key, to: pair.value ?? pair.key };
  }
  if (isSeq<Node>(node)) {
    const item = node.items[Number(name)];
    return item === undefined ? null : { at: item, to: item };
  }
  return null;
};

export type ParsedFile =
  | { readonly ok: true; readonly document: FileDocument }
  | { readonly ok: false; readonly faults: readonly FileFault[] };

/** JSON is YAML: one parser for both, which knows the lines. */
export const parseFile = (file: string, text: string): ParsedFile => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    const faults = wrong.map(({ message, pos }) => ({
      file,
      line: lines.linePos(pos[0]).line,
      message,
    }));
    return { ok: false, faults };
  }
  const lineOf = (path: readonly string[]): number | null => {
    let node: Node | null = document.contents;
    let at: Node | null = node;
    for (const name of path) {
      const next = child(node, name);
      if (next === null) break;
      node = next.to;
      at = next.at;
    }
    const start = at?.range?.[0];
    return start === undefined ? null : lines.linePos(start).line;
  };
  try {
    return { ok: true, document: { value: document.toJS() as unknown, lineOf } };
  } catch (caught) {
    // Aliases that repeat each other without end.
    const message = caught instanceof Error ? caught.message : String(caught);
    return { ok: false, faults: [{ file, line: null, message }] };
  }
};
