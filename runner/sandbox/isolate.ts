import type ivm from "isolated-vm";

import type { GuestModule } from "./protocol.ts";

export type Ivm = typeof ivm;

type Fact = string | number;
export type Posted = (operation: string, ...facts: readonly Fact[]) => void;

/** An isolate with the guest's bootstrap in it, waiting for its one script. */
export type Spare = {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** Where the guest's posts go from now on. */
  bind(posted: Posted): void;
  begin(attempt: string, input: string): void;
  /** Compiles and links a script. @throws SyntaxError as V8 words it; ImportRefused */
  load(code: string, fileName: string): ivm.Module;
  /** Tells the guest something. Rejects with what escapes from the script. */
  deliver(event: "wake" | "cancelled" | "deadline"): Promise<void>;
};

/** A script is one file: nothing can be imported. */
export class ImportRefused extends Error {
  override readonly name = "ImportRefused";
}

const ENTRY = "millrace:entry";
const SCRIPT = "millrace:script";

/**
 * Imports the script instead of evaluating it, so that a top-level await ends before `start`, and a
 * rejection at the top level comes back as unhandled.
 */
const RUNNER = `import { start } from "${ENTRY}"; import * as script from "${SCRIPT}"; start(script);`;

/**
 * Makes isolates. Code caches are made by this process for itself: they come from no place that a
 * script could write to. With them the bootstrap costs a fifth.
 */
export const createIsolates = (
  vm: Ivm,
  heapMb: number,
  guest: readonly GuestModule[],
  died: (message: string) => void,
): (() => Spare) => {
  const caches = new Map<string, ivm.ExternalCopy<ArrayBuffer>>();

  const compile = (isolate: ivm.Isolate, name: string, text: string): ivm.Module => {
    const cachedData = caches.get(name);
    if (cachedData !== undefined) {
      return isolate.compileModuleSync(text, { filename: name, cachedData });
    }
    const compiled = isolate.compileModuleSync(text, { filename: name, produceCachedData: true });
    const made = (compiled as ivm.Module & ivm.CachedDataResult).cachedData;
    if (made !== undefined) caches.set(name, made);
    return compiled;
  };

  return () => {
    const isolate = new vm.Isolate({ memoryLimit: heapMb, onCatastrophicError: died });
    const context = isolate.createContextSync();
    let bound: Posted = () => {};
    context.global.setSync(
      "millracePost",
      new vm.Callback(
        (operation: string, ...facts: readonly Fact[]) => {
          bound(operation, ...facts);
        },
        { ignored: true },
      ),
    );
    const modules = new Map(
      guest.map(({ name, text }) => [name, compile(isolate, `millrace:${name}`, text)]),
    );
    const entry = modules.get("entry");
    if (entry === undefined) throw new Error("the guest has no entry");
    entry.instantiateSync(context, (specifier) => {
      const found = modules.get(specifier.replace(/^\.\//, "").replace(/\.ts$/, ""));
      if (found === undefined) throw new Error(`the guest has no module ${specifier}`);
      return found;
    });
    entry.evaluateSync();
    const begin = entry.namespace.getSync("begin", { reference: true });
    const deliver = entry.namespace.getSync("deliver", { reference: true });
    const runner = compile(isolate, "millrace:runner", RUNNER);

    return {
      isolate,
      context,
      bind: (posted) => {
        bound = posted;
      },
      begin: (attempt, input) => {
        begin.applySync(undefined, [attempt, input]);
      },
      load: (code, fileName) => {
        const script = isolate.compileModuleSync(code, { filename: fileName });
        runner.instantiateSync(context, (specifier, referrer) => {
          if (referrer === runner && specifier === ENTRY) return entry;
          if (referrer === runner && specifier === SCRIPT) return script;
          throw new ImportRefused(specifier);
        });
        return runner;
      },
      deliver: async (event) => {
        await deliver.apply(undefined, [event]);
      },
    };
  };
};
