import { afterEach, describe, expect, it } from "vitest";

import { silentLog } from "../../src/runtime/log.ts";
import type { Isolation } from "../../runner/sandbox/choose.ts";
import { codeOf, resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";

/** Sleeps for long enough to be seen at work. */
const WORK =
  "export default async (_, ctx) => { console.log('on'); await ctx.sleep(20); return 1 }";

describe("the isolation of attempts", () => {
  let sandbox: Sandbox | undefined;

  const start = async (isolation: Isolation, more: object = {}): Promise<Sandbox> => {
    sandbox = await startSandbox({ isolation, slots: 1, spares: 1, ...more });
    return sandbox;
  };

  /** Runs attempts one after another; the process of each. */
  const pidsOf = async (organizations: readonly string[]): Promise<number[]> => {
    const pids: number[] = [];
    for (const organizationId of organizations) {
      const ran = await sandbox?.run(WORK, {
        organizationId,
        onOutput: () => {
          const busy = sandbox?.supervisor.children().filter(({ state }) => state === "busy");
          pids.push(...(busy ?? []).map(({ pid }) => pid));
        },
      });
      if (ran !== undefined) expect(resultOf(ran)).toBe(1);
    }
    return pids;
  };

  afterEach(async () => {
    await sandbox?.stop();
    expect(aliveChildren()).toEqual([]);
  });

  it("gives no organization the process of another in `tenant`", async () => {
    await start("tenant");
    const [a1, a2, b1, a3] = await pidsOf(["acme", "acme", "bolt", "acme"]);
    expect(a2).toBe(a1);
    expect(b1).not.toBe(a1);
    expect(a3).not.toBe(b1);
  });

  it("gives every attempt a process of its own in `process`", async () => {
    await start("process");
    const pids = await pidsOf(["acme", "acme", "bolt", "acme"]);
    expect(new Set(pids).size).toBe(4);
    expect(aliveChildren()).not.toContain(pids[0]);
  });

  it("gives all organizations one process in `shared`, and says at the start that this is weaker", async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, text: string) => warnings.push(text) };
    await start("shared", { log });
    const pids = await pidsOf(["acme", "bolt", "acme"]);
    expect(new Set(pids).size).toBe(1);
    expect(warnings.join()).toContain("organizations share sandbox processes");
  });

  it("leaves nothing in the isolate of the next organization in `shared`", async () => {
    const { run } = await start("shared");
    await run("globalThis.left = 1; Array.prototype.left = 1; export default () => 1", {
      organizationId: "acme",
    });
    const look = "export default () => [typeof left, typeof [].left]";
    const ran = await run(look, { organizationId: "bolt" });
    expect(resultOf(ran)).toEqual(["undefined", "undefined"]);
  });

  it("keeps to its room and serves everybody in `process`, also when some must be killed", async () => {
    const { run, supervisor } = await start("process", { slots: 3, limits: { cpuMs: 100 } });
    const loop = "export default () => { for (;;); }";
    const most = { starting: 0, all: 0 };
    const look = (): void => {
      const children = supervisor.children();
      most.all = Math.max(most.all, children.length);
      const starting = children.filter(({ state }) => state === "starting");
      most.starting = Math.max(most.starting, starting.length);
    };
    const codes = await Promise.all(
      Array.from({ length: 9 }, async (_, index) => {
        const ran = await run(index % 3 === 0 ? loop : WORK, { onOutput: look });
        look();
        return codeOf(ran);
      }),
    );
    expect(codes.filter((code) => code === "timeout.cpu")).toHaveLength(3);
    expect(codes.filter((code) => code === "succeeded")).toHaveLength(6);
    expect(most.all).toBeLessThanOrEqual(4);
    expect(most.starting).toBeLessThanOrEqual(3);
  });
});
