/**
 * The program of a sandbox child. It holds nothing worth stealing: an empty environment, an empty
 * directory, two pipes, no rights. It runs one script at a time, each in an isolate of its own, and
 * makes the next isolate as soon as it has said how the last one ended. The supervisor decides over
 * time and memory, from outside; nothing here is trusted to do so.
 *
 * Arguments: the path of isolated-vm's native library; `locked` if the system lets it give up system
 * calls, else `open`; its purpose (see launch.ts).
 */
import { writeSync } from "node:fs";

import { Socket } from "node:net";

import { type ChildAttempt, runAttempt } from "./child-attempt.ts";
import { makeCodeCache } from "./code-cache.ts";
import { createFrameReader, encodeFrame, FRAMES_FD } from "./frames.ts";
import { createIsolates, type Ivm, type Spare } from "./isolate.ts";
import { createKeptLibraries } from "./library.ts";
import { lockDown } from "./lockdown.ts";
import type { FromChild, ToChild } from "./protocol.ts";

const FRAME_LIMIT = 16 * 1024 * 1024;

const loadNative = (path: string): Ivm => {
  const native = { exports: {} };
  process.dlopen(native, path);
  return (native.exports as { readonly ivm: Ivm }).ivm;
};

type Order<Op> = Extract<ToChild, { readonly op: Op }>;
type Dropping = { readonly drop?: (right: string) => void };

/** What the native library needed to be loaded is not needed any more. */
const dropRights = (): void => {
  const { permission } = process as { readonly permission?: Dropping };
  for (const right of ["fs", "addon", "child", "worker", "net", "inspector", "wasi", "ffi"]) {
    permission?.drop?.(right);
  }
};

const [, , library = "", lock, purpose] = process.argv;
const vm = loadNative(library);
const locked = lock === "locked" ? lockDown() : null;
dropRights();
if (purpose === "check") {
  writeSync(1, JSON.stringify(locked));
  process.exit();
}

const frames = new Socket({ fd: FRAMES_FD, readable: false, writable: true });
const say = (frame: FromChild): void => {
  frames.write(encodeFrame(frame));
};

const libraries = createKeptLibraries(vm);
let makeSpare: (() => Spare) | null = null;
let spare: Spare | null = null;
let current: ChildAttempt | null = null;

const refill = (): void => {
  if (makeSpare === null) throw new Error("not initialised");
  spare = makeSpare();
  say({ op: "ready" });
};

const start = (order: Order<"run">): void => {
  const taken = spare;
  if (taken === null || current !== null) throw new Error("one attempt at a time");
  spare = null;
  const before = process.cpuUsage();
  const attempt = runAttempt(
    taken,
    libraries,
    order,
    (said) => {
      if (said.op !== "succeeded" && said.op !== "failed") {
        say({ ...said, id: order.id });
        return;
      }
      const used = process.cpuUsage(before);
      say({ ...said, id: order.id, cpuUs: used.user + used.system });
    },
    () => {
      // After the answer is on its way: first the old isolate, then the next.
      setImmediate(() => {
        current = null;
        if (!taken.isolate.isDisposed) taken.isolate.dispose();
        libraries.prepare();
        refill();
      });
    },
  );
  current = attempt;
};

const codeCacheOf = async ({ bootstrap, codeCache }: Order<"init">): Promise<ArrayBuffer> => {
  if (codeCache !== "") return Uint8Array.fromBase64(codeCache).buffer;
  const made = await makeCodeCache(bootstrap);
  say({ op: "cache", codeCache: Buffer.from(made).toString("base64") });
  return made;
};

const initialise = async (order: Order<"init">): Promise<void> => {
  const { heapMb, bootstrap } = order;
  const codeCache = await codeCacheOf(order);
  const died = (message: string): void => {
    process.stderr.write(`isolate lost: ${message}\n`);
    process.kill(process.pid, "SIGKILL");
  };
  makeSpare = createIsolates(vm, { heapMb, bootstrap, codeCache, died });
  refill();
};

const hear = (text: string): void => {
  const order = JSON.parse(text) as ToChild;
  switch (order.op) {
    case "init":
      void initialise(order);
      return;
    case "run":
      start(order);
      return;
    case "cancel":
      if (current?.id === order.id) current.cancel();
      return;
    case "reply":
      if (current?.id === order.id) current.reply(order.call, order.ok, order.payload);
      return;
  }
};

process.stdin.on("data", createFrameReader(FRAME_LIMIT, hear));
// Without a supervisor there is nothing to live for, even if a script keeps a thread busy.
process.stdin.on("end", () => {
  process.kill(process.pid, "SIGKILL");
});
