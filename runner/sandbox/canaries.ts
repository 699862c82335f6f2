import type { LayerName } from "./layers.ts";
import type { SandboxLimits } from "./limits.ts";

/** A hostile script, and how it must end. */
export type Canary = {
  /** What it tries, for people. */
  readonly tries: string;
  readonly code: string;
  readonly timeoutMs: number;
  readonly bounds: Partial<SandboxLimits>;
  /** `succeeded`, or the code of the failure: any of these. */
  readonly wanted: readonly string[];
  /** JSON that a success must bring; null: it does not matter. */
  readonly result: string | null;
};

const MIB = 1024 * 1024;
const CPU = { cpuMs: 50 } as const;
/** They take milliseconds. A busy machine must not look like one that does not hold them. */
const LONGEST_MS = 30_000;
/** More than a child needs, less than what these scripts ask for. */
const MEMORY = { rssBytes: 200 * MIB, cpuMs: 10_000 } as const;

/** Looks for a way out, and answers with the ways that it found. */
const ESCAPE = `export default async () => {
  const found = [];
  const caught = () => { try { null.x; } catch (error) { return error; } };
  const functions = { arrow: () => {}, async: async () => {}, log: console.log, timer: setTimeout,
    error: caught().constructor };
  for (const [name, start] of Object.entries(functions)) {
    try { if (await start.constructor("return process")()) found.push(name); } catch {}
  }
  for (const name of ["process", "require", "module", "Buffer", "WebAssembly", "SharedArrayBuffer"]) {
    if (name in globalThis) found.push(name);
  }
  Error.prepareStackTrace = (_, frames) => frames.map((frame) => frame.getFileName()).join();
  if (new Error("x").stack.includes("/")) found.push("paths");
  return found;
}`;

const loop = (tries: string, code: string, watched: boolean): Canary => ({
  tries,
  code,
  timeoutMs: watched ? LONGEST_MS : 200,
  bounds: CPU,
  wanted: [watched ? "timeout.cpu" : "timeout.wall"],
  result: null,
});

const hoard = (tries: string, code: string): Canary => ({
  tries,
  code,
  timeoutMs: LONGEST_MS,
  bounds: MEMORY,
  // V8 may refuse first.
  wanted: ["memory", "script.threw"],
  result: null,
});

const harmless = (
  tries: string,
  code: string,
  wanted: string,
  result: string | null = null,
): Canary => ({
  tries,
  code,
  timeoutMs: LONGEST_MS,
  bounds: {},
  wanted: [wanted],
  result,
});

/**
 * `start`: what a runner proves before it takes work: that it can kill, and that nothing of the
 * process is in reach. `all`: what an operator can ask for. Memory beyond the heap is not tried where
 * nobody watches it from outside.
 */
export const canariesFor = (
  set: "start" | "all",
  active: readonly LayerName[],
): readonly Canary[] => {
  const watched = active.includes("outside-watch");
  const start = [
    harmless("reach the process around it", ESCAPE, "succeeded", "[]"),
    loop("loop forever", "export default () => { for (;;); };", watched),
  ];
  if (set === "start") return start;
  const memory = [
    hoard(
      "fill buffers beyond the heap",
      `export default () => {
        const buffer = new ArrayBuffer(0, { maxByteLength: 1e9 });
        buffer.resize(1e9);
        new Uint8Array(buffer).fill(1);
        return "a gigabyte was free";
      }`,
    ),
    hoard(
      "hoard Intl objects beyond the heap",
      "export default () => { const all = []; for (;;) all.push(new Intl.DateTimeFormat('de')); };",
    ),
    hoard(
      "fill the heap",
      "export default () => { const all = []; for (;;) all.push({ text: 'x' + all.length }); };",
    ),
  ];
  return [
    ...start,
    loop(
      "loop forever in native code",
      "export default () => [].includes.call({ length: 2 ** 53 - 1 }, 1);",
      watched,
    ),
    loop(
      "loop forever after an await",
      "export default async () => { await null; for (;;); };",
      watched,
    ),
    {
      ...loop("wait forever", "export default () => new Promise(() => {});", false),
      timeoutMs: 100,
    },
    ...(watched ? memory : []),
    harmless(
      "flood the output",
      "export default () => { for (let i = 0; i < 1e5; i++) console.log('x'); };",
      "succeeded",
      "null",
    ),
    harmless(
      "return more than it may",
      "export default () => 'x'.repeat(2e6);",
      "result.too_large",
    ),
    {
      ...harmless("import a module of Node", 'import "node:fs"; export default () => 1;', ""),
      wanted: ["module.not_allowed", "script.threw"],
    },
  ];
};
