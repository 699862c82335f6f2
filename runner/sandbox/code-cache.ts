import { createContext, Script } from "node:vm";

/** What a first attempt would call, so that its functions are compiled and kept. */
const WARM_UP = `(entry, attempt) => {
  entry.begin(attempt, "{}");
  const script = async (input, ctx) => {
    console.log("%s", "warm", { up: [1, input] });
    ctx.log("warm");
    ctx.progress({ done: 1, total: 2, message: "warm" });
    const timer = setTimeout(() => {}, 1);
    clearTimeout(timer);
    return { ok: true };
  };
  entry.start({ default: script });
}`;

const ATTEMPT = JSON.stringify({
  jobId: "warm-up",
  attempt: 1,
  fileName: "script.js",
  outputLines: 100,
  outputChars: 1_000,
  lineChars: 100,
  timers: 10,
  calls: { total: 10, atOnce: 10, payload: 1_000, payloads: 1_000 },
  resultBytes: 1_000,
  entropy: "",
  secrets: {},
});

/**
 * V8's code cache for the bootstrap, made by running it once in this process. isolated-vm's own way
 * gives a cache without the functions that are compiled when they are first called; this one saves
 * half a millisecond more for each isolate. Made by the first child
 * before a script is in it, for itself and for those that follow: see birth.ts.
 */
export const makeCodeCache = async (bootstrap: string): Promise<ArrayBuffer> => {
  const context = createContext(
    { millracePost: () => {} },
    { codeGeneration: { strings: false, wasm: false }, microtaskMode: "afterEvaluate" },
  );
  const script = new Script(bootstrap);
  const boot = script.runInContext(context) as () => unknown;
  const entry = boot();
  const warmUp = new Script(WARM_UP).runInContext(context) as (...args: unknown[]) => void;
  warmUp(entry, ATTEMPT);
  // Its microtasks run the script to its end.
  await new Promise((resolve) => setImmediate(resolve));
  const cache = script.createCachedData();
  return new Uint8Array(cache).buffer;
};
