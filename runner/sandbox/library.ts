import { createContext, Script } from "node:vm";

import type ivm from "isolated-vm";

import type { LibraryText } from "../module-wire.ts";

/**
 * The libraries that scripts have imported in this child: each crosses the pipe once. `cachedData` is
 * V8's code cache of it, made in this process from the text that the supervisor sent: nothing that a
 * script can write to has a part in it. With it zod, the largest, is there in 6 ms instead of 20.
 */
export type Library = LibraryText & {
  uses: number;
  cachedData: ivm.ExternalCopy<ArrayBuffer> | null;
};

export type KeptLibraries = {
  has(name: string): boolean;
  /** For an attempt that uses it; undefined if this child has not had it. */
  use(name: string): Library | undefined;
  /** The same, of one that this child has not had. */
  add(text: LibraryText): Library;
  /** Makes what makes later uses faster. Between attempts, where nobody waits for it. */
  prepare(): void;
};

/** A code cache costs as much as a use without it: not for a child that lives for one attempt. */
const CACHED_AFTER = 2;

export const createKeptLibraries = (vm: Pick<typeof ivm, "ExternalCopy">): KeptLibraries => {
  const kept = new Map<string, Library>();
  return {
    has: (name) => kept.has(name),
    use: (name) => {
      const library = kept.get(name);
      if (library !== undefined) library.uses += 1;
      return library;
    },
    add: (text) => {
      const library: Library = { ...text, uses: 1, cachedData: null };
      kept.set(text.name, library);
      return library;
    },
    prepare: () => {
      for (const library of kept.values()) {
        if (library.uses < CACHED_AFTER) continue;
        library.cachedData ??= new vm.ExternalCopy(codeCacheOf(library));
      }
    },
  };
};

/** Run once, so that the functions which every use compiles are in it. */
const codeCacheOf = ({ code }: LibraryText): ArrayBuffer => {
  const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
  // lodash looks for the global object by this name.
  context["self"] = context;
  const script = new Script(code);
  script.runInContext(context);
  return new Uint8Array(script.createCachedData()).buffer;
};

/** What an imported library's frames name. */
const libraryFile = (name: string): string => `library:${name}`;

const NAMES = "JSON.stringify(Object.keys(millraceLibrary))";

/**
 * Runs a library as a script, before any text of a tenant runs in its context, and hands what it
 * exports to a module.
 */
export const runLibrary = (
  isolate: ivm.Isolate,
  context: ivm.Context,
  { name, code, cachedData }: Library,
): ivm.Module => {
  const origin = { filename: libraryFile(name) };
  const script = isolate.compileScriptSync(
    code,
    cachedData === null ? origin : { ...origin, cachedData },
  );
  const exported = script.runSync(context, { reference: true });
  context.global.setSync("millraceLibrary", exported.derefInto());
  const names = JSON.parse(context.evalSync(NAMES) as string) as readonly string[];
  const module = isolate.compileModuleSync(moduleText(names), origin);
  module.instantiateSync(context, () => {
    throw new Error("a library imports nothing");
  });
  module.evaluateSync();
  return module;
};

/** Names may be reserved words: zod exports `function` and `null`. */
const moduleText = (names: readonly string[]): string => {
  const quoted = names.map((name) => JSON.stringify(name));
  const locals = quoted.map((name, index) => `const x${index} = library[${name}];`);
  const exported = quoted.map((name, index) => `x${index} as ${name}`);
  return `const library = globalThis.millraceLibrary; delete globalThis.millraceLibrary;
${locals.join(" ")}
export { ${exported.join(", ")} };`;
};
