import type ivm from "isolated-vm";

import { MODULE_LIMITS, type ModuleAnswer, type ModuleQuestion } from "../module-wire.ts";
import type { Resolve, Spare } from "./isolate.ts";
import type { KeptLibraries } from "./library.ts";

/** Why the modules of a script cannot be loaded, as its author is told. */
export class LoadRefused extends Error {
  override readonly name = "LoadRefused";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Fetches, compiles and collects all that a script imports, level by level. One script, once. */
export type Loader = {
  /** @throws LoadRefused, SyntaxError as V8 words it */
  load(script: ivm.Module, fileName: string): Promise<Resolve>;
  /** The supervisor's answer to question number `call`. */
  take(call: number, ok: boolean, payload: string): void;
  /** Ends `load` with a rejection. */
  stop(): void;
};

type Waiter = {
  readonly resolve: (answer: ModuleAnswer) => void;
  readonly reject: (cause: Error) => void;
};

/** A module whose imports are still to be loaded. */
type Loaded = { readonly file: string; readonly module: ivm.Module };

export const createLoader = (
  spare: Pick<Spare, "compile" | "library">,
  libraries: KeptLibraries,
  ask: (call: number, question: ModuleQuestion) => void,
): Loader => {
  const waiting = new Map<number, Waiter>();
  const bySpecifier = new Map<string, ivm.Module>();
  const byFile = new Map<string, ivm.Module>();
  let last = 0;

  const question = async (specifier: string, importer: string): Promise<ModuleAnswer> => {
    last += 1;
    const call = last;
    const answer = new Promise<ModuleAnswer>((resolve, reject) => {
      waiting.set(call, { resolve, reject });
    });
    ask(call, { specifier });
    try {
      return await answer;
    } catch (cause) {
      // The importing file is named unless it is the script itself.
      if (!(cause instanceof LoadRefused) || !importer.startsWith("script:")) throw cause;
      throw new LoadRefused(cause.code, `${cause.message} (imported by ${importer})`);
    }
  };

  const compiled = (specifier: string, answer: ModuleAnswer): Loaded | null => {
    switch (answer.kind) {
      case "library":
        bySpecifier.set(specifier, spare.library(libraries.add(answer)));
        return null;
      case "script": {
        const { file, code } = answer;
        const before = byFile.get(file);
        const module = before ?? spare.compile(code ?? "", file);
        bySpecifier.set(specifier, module);
        byFile.set(file, module);
        return before === undefined ? { file, module } : null;
      }
      case "again":
        throw new Error(`${specifier} was asked for twice`);
    }
  };

  /** What is imported here for the first time, with one of its importers. */
  const wantedBy = (level: readonly Loaded[]): ReadonlyMap<string, string> => {
    const wanted = new Map<string, string>();
    for (const { module, file } of level) {
      for (const specifier of module.dependencySpecifiers) {
        if (!bySpecifier.has(specifier)) wanted.set(specifier, file);
      }
    }
    if (bySpecifier.size + wanted.size > MODULE_LIMITS.modules) {
      const most = MODULE_LIMITS.modules;
      throw new LoadRefused("quota.modules", `an attempt imports at most ${most} modules`);
    }
    return wanted;
  };

  const loadLevel = async (level: readonly Loaded[]): Promise<readonly Loaded[]> => {
    const wanted = [...wantedBy(level)];
    const unknown = wanted.filter(([specifier]) => !libraries.has(specifier));
    const answers = await Promise.all(
      unknown.map(async ([specifier, importer]) => ({
        specifier,
        answer: await question(specifier, importer),
      })),
    );
    for (const [specifier] of wanted) {
      const kept = libraries.use(specifier);
      if (kept !== undefined) bySpecifier.set(specifier, spare.library(kept));
    }
    // Of two names of one text only one answer brings it, and not always the first.
    const lacksText = ({ answer }: (typeof answers)[number]): number =>
      answer.kind === "script" && answer.code === null ? 1 : 0;
    return answers
      .toSorted((a, b) => lacksText(a) - lacksText(b))
      .flatMap(({ specifier, answer }) => compiled(specifier, answer) ?? []);
  };

  return {
    load: async (script, fileName) => {
      byFile.set(fileName, script);
      let level: readonly Loaded[] = [{ file: fileName, module: script }];
      while (level.length > 0) level = await loadLevel(level);
      return (specifier) => bySpecifier.get(specifier);
    },
    take: (call, ok, payload) => {
      const waiter = waiting.get(call);
      waiting.delete(call);
      if (ok) {
        waiter?.resolve(JSON.parse(payload) as ModuleAnswer);
        return;
      }
      const { code, message } = JSON.parse(payload) as { readonly code: string; message: string };
      waiter?.reject(new LoadRefused(code, message));
    },
    stop: () => {
      const stopped = new LoadRefused("cancelled", "the job was cancelled");
      for (const { reject } of waiting.values()) reject(stopped);
      waiting.clear();
    },
  };
};
