import type ivm from "isolated-vm";

import { type Library, runLibrary } from "./library.ts";

export type Ivm = typeof ivm;

type Fact = string | number;
export type Posted = (operation: string, ...facts: readonly Fact[]) => void;

/** An isolate with the guest's bootstrap in it, waiting for its one script. */
export type Spare = {
  readonly isolate: ivm.Isolate;
  /** Where the guest's posts go from now on. */
  bind(posted: Posted): void;
  begin(attempt: string, input: string): void;
  /** @throws SyntaxError as V8 words it */
  compile(code: string, fileName: string): ivm.Module;
  /** Runs a library, and answers with a module that exports what it has. */
  library(library: Library): ivm.Module;
  /**
   * Links a script with what it imports; `resolve` knows all of it. The answer is evaluated to run
   * the script. @throws SyntaxError as V8 words it
   */
  link(script: ivm.Module, resolve: Resolve): ivm.Module;
  /** Tells the guest something. Rejects with what escapes from the script. */
  deliver(...told: Delivery): Promise<void>;
};

/** What the guest is told, as arguments of its `deliver`. */
export type Delivery =
  | readonly ["wake" | "cancelled" | "deadline"]
  | readonly ["reply", number, boolean, string];

export type Resolve = (specifier: string) => ivm.Module | undefined;

const START = "millrace:start";
const SCRIPT = "millrace:script";

/**
 * Imports the script instead of evaluating it, so that a top-level await ends before `start`, and a
 * rejection at the top level comes back as unhandled.
 */
const RUNNER = `import { start } from "${START}"; import * as script from "${SCRIPT}"; start(script);`;

/** Hands the bootstrap's `start` to the runner module, and leaves no trace of it. */
const STARTER = "export const start = globalThis.millraceStart; delete globalThis.millraceStart;";

export type IsolateOptions = {
  readonly heapMb: number;
  /** A script whose value is a function that answers with `{ begin, start, deliver }`. */
  readonly bootstrap: string;
  readonly codeCache: ArrayBuffer;
  /** V8 has lost control over an isolate; the process must end. */
  readonly died: (message: string) => void;
};

export const createIsolates = (vm: Ivm, options: IsolateOptions): (() => Spare) => {
  const cachedData = new vm.ExternalCopy(options.codeCache);

  const boot = (isolate: ivm.Isolate, context: ivm.Context, post: Posted): ivm.Reference => {
    context.global.setSync("millracePost", new vm.Callback(post, { ignored: true }));
    const script = isolate.compileScriptSync(options.bootstrap, { cachedData });
    const main = script.runSync(context, { reference: true });
    return main.applySync(undefined, [], { result: { reference: true } });
  };

  return () => {
    const isolate = new vm.Isolate({
      memoryLimit: options.heapMb,
      onCatastrophicError: options.died,
    });
    const context = isolate.createContextSync();
    let bound: Posted = () => {};
    const entry = boot(isolate, context, (operation, ...facts) => {
      bound(operation, ...facts);
    });
    const member = (name: string): ivm.Reference => entry.getSync(name, { reference: true });
    const begin = member("begin");
    const deliver = member("deliver");
    context.global.setSync("millraceStart", member("start").derefInto());
    const starter = isolate.compileModuleSync(STARTER);
    starter.instantiateSync(context, refuse);
    starter.evaluateSync();
    const runner = isolate.compileModuleSync(RUNNER);

    return {
      isolate,
      bind: (posted) => {
        bound = posted;
      },
      begin: (attempt, input) => {
        begin.applySync(undefined, [attempt, input]);
      },
      compile: (code, fileName) => isolate.compileModuleSync(code, { filename: fileName }),
      library: (library) => runLibrary(isolate, context, library),
      link: (script, resolve) => {
        runner.instantiateSync(context, (specifier, referrer) => {
          const own = referrer === runner;
          if (own && specifier === START) return starter;
          if (own && specifier === SCRIPT) return script;
          return resolve(specifier) ?? refuse(specifier);
        });
        return runner;
      },
      deliver: async (...told) => {
        await deliver.apply(undefined, [...told]);
      },
    };
  };
};

const refuse = (specifier: string): never => {
  throw new Error(`nobody has loaded ${specifier}`);
};
