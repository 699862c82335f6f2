import type { Module } from "isolated-vm";

import { systemClock } from "../../src/runtime/clock.ts";
import { escapedFault, type Fault, loadFault } from "./fault.ts";
import { MODULE_CALL } from "../module-wire.ts";
import type { Delivery, Posted, Resolve, Spare } from "./isolate.ts";
import type { KeptLibraries } from "./library.ts";
import { createLoader, type Loader } from "./load.ts";
import type { FromChild, ToChild } from "./protocol.ts";

/** Anything but `ready`, without what all of them carry. */
type Said = FromChild extends infer Frame
  ? Frame extends { readonly id: number }
    ? Omit<Frame, "id" | "cpuUs">
    : never
  : never;

export type ChildAttempt = {
  readonly id: number;
  cancel(): void;
  reply(call: number, ok: boolean, payload: string): void;
};

/** The heap limit ended the isolate. V8 has disposed of it by then. */
const MEMORY: Fault = {
  code: "memory",
  message: "the script used more memory than it may",
  stack: "",
  retryable: null,
};

/**
 * Runs one script in a spare isolate. `say` sends to the supervisor; `done` is called once, after
 * the end was said.
 */
export const runAttempt = (
  spare: Spare,
  libraries: KeptLibraries,
  order: Extract<ToChild, { op: "run" }>,
  say: (said: Said) => void,
  done: () => void,
): ChildAttempt => {
  let over = false;
  let cancelWake = (): void => {};

  const end = (said: Said): void => {
    if (over) return;
    over = true;
    cancelWake();
    cancelWarning();
    say(said);
    done();
  };

  const fail = (fault: Fault): void => {
    end({ op: "failed", ...fault });
  };

  const escaped = (thrown: unknown): void => {
    if (over) return;
    fail(spare.isolate.isDisposed ? MEMORY : escapedFault(thrown, order.fileName));
  };

  const deliver = (...told: Delivery): void => {
    if (!over) spare.deliver(...told).catch(escaped);
  };

  const cancelWarning = systemClock.after(order.warnAfterMs, () => {
    deliver("deadline");
  });

  const posted: Posted = (operation, first, second, third, fourth) => {
    if (over) return;
    switch (operation) {
      case "output":
        say({ op: "output", stream: first as "STDOUT", text: String(second) });
        return;
      case "progress":
        say({
          op: "progress",
          fraction: Number(first),
          message: String(second),
          step: Number(third),
          steps: Number(fourth),
        });
        return;
      case "call":
        say({ op: "call", call: Number(first), name: String(second), payload: String(third) });
        return;
      case "wake":
        cancelWake();
        cancelWake = systemClock.after(Number(first), () => {
          deliver("wake");
        });
        return;
      case "succeeded":
        end({ op: "succeeded", result: String(first) });
        return;
      case "failed":
        end({
          op: "failed",
          code: String(first),
          message: String(second),
          stack: String(third),
          retryable: fourth === "" ? null : fourth === "true",
        });
        return;
      default:
    }
  };

  const start = (script: Module, resolve: Resolve): void => {
    spare.link(script, resolve).evaluate().catch(escaped);
  };

  const unloadable = (thrown: unknown): void => {
    fail(spare.isolate.isDisposed ? MEMORY : loadFault(thrown, order.fileName));
  };

  /** While it is there, no line of the script has run. */
  let loader: Loader | null = null;

  const startWithImports = async (script: Module): Promise<void> => {
    loader = createLoader(spare, libraries, (call, question) => {
      say({ op: "call", call, name: MODULE_CALL, payload: JSON.stringify(question) });
    });
    try {
      const resolve = await loader.load(script, order.fileName);
      loader = null;
      if (!over) start(script, resolve);
    } catch (thrown) {
      unloadable(thrown);
    }
  };

  spare.bind(posted);
  try {
    spare.begin(order.attempt, order.input);
    const script = spare.compile(order.code, order.fileName);
    if (script.dependencySpecifiers.length === 0) start(script, importsNothing);
    else void startWithImports(script);
  } catch (thrown) {
    unloadable(thrown);
  }

  return {
    id: order.id,
    cancel: () => {
      if (loader === null) deliver("cancelled");
      else loader.stop();
    },
    reply: (call, ok, payload) => {
      if (loader === null) deliver("reply", call, ok, payload);
      else loader.take(call, ok, payload);
    },
  };
};

const importsNothing: Resolve = () => undefined;
