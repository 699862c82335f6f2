import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";

import { persist } from "../../runner/persist.ts";
import { systemRandom } from "../../src/runtime/random.ts";

/** Nobody waits. */
const hasty = {
  clock: {
    now: () => 0,
    monotonic: () => 0,
    after: (_: number, run: () => void) => {
      queueMicrotask(run);
      return () => {};
    },
  },
  random: systemRandom,
};

const askThrough = async (...codes: readonly Code[]): Promise<string> => {
  const left = [...codes];
  return await persist(hasty, async () => {
    const code = left.shift();
    if (code !== undefined) throw new ConnectError(`answer ${codes.length - left.length}`, code);
    return await Promise.resolve("text");
  });
};

it("what a server that is away or leaves cannot answer is asked again", async () => {
  const passing = [Code.Unavailable, Code.Canceled, Code.DeadlineExceeded, Code.Aborted];
  expect(await askThrough(...passing)).toBe("text");
});

it("what will not be answered is asked no more", async () => {
  await expect(askThrough(Code.NotFound)).rejects.toThrow("answer 1");
  await expect(askThrough(...Array<Code>(9).fill(Code.Unavailable))).rejects.toThrow("answer 6");
});
