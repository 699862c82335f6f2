import { systemClock } from "../src/runtime/clock.ts";
import ivm from "isolated-vm";

const SOURCE = "export default async (input) => input.a + input.b;";

/** What V8 and isolated-vm alone ask for: isolate, context, script, call, and the isolate's end. */
const once = async (): Promise<void> => {
  const isolate = new ivm.Isolate({ memoryLimit: 64 });
  const context = isolate.createContextSync();
  const script = isolate.compileModuleSync(SOURCE);
  script.instantiateSync(context, () => {
    throw new Error("it imports nothing");
  });
  await script.evaluate();
  const main: ivm.Reference = script.namespace.getSync("default", { reference: true });
  await main.apply(undefined, [{ a: 1, b: 2 }], {
    arguments: { copy: true },
    result: { promise: true, copy: true },
  });
  isolate.dispose();
};

/** Milliseconds of a bare isolate for one attempt, one after the other in this process. */
export const measureIsolates = async (attempts: number): Promise<number> => {
  for (let i = 0; i < 50; i++) await once();
  const started = systemClock.monotonic();
  for (let i = 0; i < attempts; i++) await once();
  return (systemClock.monotonic() - started) / attempts;
};
