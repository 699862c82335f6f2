import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { afterEach, describe, expect, it, vi } from "vitest";

import { AttemptStopped } from "../../runner/executor.ts";
import { eventually } from "../support/eventually.ts";
import {
  codeOf,
  resultOf,
  type Ran,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from "../support/runner-sandbox.ts";
import { type Log, silentLog } from "../../src/runtime/log.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";

/** Busy for long enough to be seen. */
const AT_WORK =
  "export default async (_, ctx) => { console.log('on'); await ctx.sleep(100); return 1 }";
const WAIT = "export default async () => { console.log('on'); await new Promise(() => {}) }";

/** The life of the sandbox's processes. */
describe("the sandbox children", () => {
  let sandbox: Sandbox | undefined;

  const start = async (options?: SandboxOptions): Promise<Sandbox> => {
    sandbox = await startSandbox(options);
    return sandbox;
  };

  const pids = (state: string): number[] =>
    (sandbox?.supervisor.children() ?? [])
      .filter((child) => child.state === state)
      .map(({ pid }) => pid);

  /** Starts a script and resolves with it once it has written its first row. */
  const begin = async (
    code: string,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<{ readonly ran: Promise<Ran> }> => {
    let ran: Promise<Ran> | undefined;
    await new Promise<string>((resolve) => {
      ran = sandbox?.run(code, { ...options, onOutput: resolve });
    });
    if (ran === undefined) throw new Error("there is no sandbox");
    return { ran };
  };

  afterEach(async () => {
    await sandbox?.stop();
    expect(aliveChildren()).toEqual([]);
  });

  it("have proved that a loop is killed before the first attempt comes", async () => {
    await start({ canary: true });
    expect(resultOf(await (sandbox as Sandbox).run("export default () => 1"))).toBe(1);
  });

  it("end with the supervisor, a busy one too, and its attempt ends, and nothing is odd about it", async () => {
    const warn = vi.spyOn(silentLog, "warn");
    await start();
    const { ran } = await begin(WAIT);
    await sandbox?.stop();
    expect(aliveChildren()).toEqual([]);
    expect(codeOf(await ran)).toBe("runner.crashed");
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("fail only their own attempt when one is killed, and another takes its place", async () => {
    const { run } = await start({ slots: 2 });
    const { ran: first } = await begin(WAIT, { timeoutMs: 30_000 });
    const [victim = 0] = pids("busy");
    const { ran: second } = await begin(WAIT, { timeoutMs: 1_000 });
    process.kill(victim, "SIGKILL");
    expect((await first).ending).toMatchObject({
      error: { code: "runner.crashed", retryable: true },
    });
    expect(codeOf(await second)).toBe("timeout.wall");
    expect(resultOf(await run("export default () => 2"))).toBe(2);
    expect(aliveChildren()).not.toContain(victim);
  });

  it("come back when their folder can be written again, and nothing else ends by it", async () => {
    const failed = vi.fn<Log["error"]>();
    const { run } = await start({ spares: 0, log: { ...silentLog, error: failed } });
    const [first = 0] = pids("idle");
    const program = join(dirname(readlinkSync(`/proc/${first}/cwd`)), "program");
    rmSync(program, { recursive: true });
    writeFileSync(program, "in the way");
    process.kill(first, "SIGKILL");
    await eventually(() => expect(pids("idle")).toEqual([]));
    const ran = run("export default () => 1");
    await eventually(() => expect(failed).toHaveBeenCalled());
    rmSync(program);
    expect(resultOf(await ran)).toBe(1);
  });

  it("are killed at the deadline even if they are stopped", async () => {
    await start();
    const { ran } = await begin(WAIT, { timeoutMs: 400 });
    const [stopped = 0] = pids("busy");
    process.kill(stopped, "SIGSTOP");
    expect(codeOf(await ran)).toBe("timeout.wall");
    await eventually(() => expect(aliveChildren()).not.toContain(stopped));
  });

  it("serve one organization each", async () => {
    const { run, supervisor } = await start({ slots: 1, spares: 1 });
    const used = async (organizationId: string): Promise<number> => {
      const before = supervisor.children();
      await run("export default () => 1", { organizationId });
      const [child] = supervisor
        .children()
        .filter((one) => one.organizationId === organizationId)
        .toSorted((a, b) => b.usedAt - a.usedAt);
      const earlier = before.find((one) => one.pid === child?.pid);
      expect([undefined, null, organizationId]).toContain(earlier?.organizationId);
      return child?.pid ?? 0;
    };
    const first = await used("acme");
    const second = await used("bolt");
    expect(second).not.toBe(first);
    expect(await used("bolt")).toBe(second);
    expect(await used("acme")).not.toBe(second);
    expect(supervisor.children().length).toBeLessThanOrEqual(2);
  });

  it("are replaced after a number of attempts", async () => {
    await start({ limits: { recycleAfter: 2 } });
    const seen = new Set<number>();
    for (let i = 0; i < 6; i++) {
      const { ran } = await begin(AT_WORK);
      for (const pid of pids("busy")) seen.add(pid);
      expect(resultOf(await ran)).toBe(1);
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
  });

  it("never are more than the slots and the spares, however many attempts come", async () => {
    const { run, supervisor } = await start({ slots: 2, spares: 1 });
    let most = 0;
    const all = Array.from({ length: 12 }, async (_, index) => {
      const ran = run("export default () => 1", { organizationId: `org-${index % 3}` });
      await setImmediate();
      most = Math.max(most, supervisor.children().length);
      return resultOf(await ran);
    });
    expect(await Promise.all(all)).toEqual(Array.from({ length: 12 }, () => 1));
    expect(most).toBeLessThanOrEqual(3);
  });

  describe("when an attempt is cancelled", () => {
    const cancelled = { kind: "cancelled" };

    it("let a script that listens tidy up, and live on", async () => {
      const stopping = new AbortController();
      await start();
      const code = `export default async (_, ctx) => {
        console.log("on");
        try { await ctx.sleep(60_000); } catch (error) { console.log(error.name); }
        return "a result that nobody wants";
      }`;
      const { ran } = await begin(code, { signal: stopping.signal });
      const [pid] = pids("busy");
      stopping.abort(new AttemptStopped("cancelled"));
      expect((await ran).ending).toMatchObject(cancelled);
      expect((await ran).output).toEqual(["STDOUT on", "STDOUT AbortError"]);
      await eventually(() => expect(pids("idle")).toContain(pid));
    });

    it.each([
      ["does not listen", WAIT],
      ["loops", "export default () => { console.log('on'); for (;;); }"],
    ])("are killed after the grace if the script %s", async (_, code) => {
      const stopping = new AbortController();
      await start({ limits: { cpuMs: 60_000, graceMs: 100 } });
      const { ran } = await begin(code, { signal: stopping.signal });
      const [pid] = pids("busy");
      stopping.abort(new AttemptStopped("cancelled"));
      expect((await ran).ending).toMatchObject(cancelled);
      await eventually(() => expect(aliveChildren()).not.toContain(pid));
    });

    it("are not taken at all if it was before the start", async () => {
      const { run } = await start();
      const signal = AbortSignal.abort(new AttemptStopped("cancelled"));
      expect((await run(WAIT, { signal })).ending).toMatchObject(cancelled);
      expect(pids("busy")).toEqual([]);
    });

    it("are killed at once if the attempt is another runner's now", async () => {
      const stopping = new AbortController();
      await start({ limits: { graceMs: 60_000 } });
      const { ran } = await begin(WAIT, { signal: stopping.signal });
      stopping.abort(new AttemptStopped("forgotten"));
      expect((await ran).ending).toMatchObject(cancelled);
    });
  });

  it("see nothing of this process but their pipes", async () => {
    await start();
    const [pid = 0] = [...pids("idle"), ...pids("starting")];
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
    expect(readdirSync(readlinkSync(`/proc/${pid}/cwd`))).toEqual([]);
    const foreign = readdirSync(`/proc/${pid}/fd`)
      .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
      .filter((target) => !/^(socket|pipe|anon_inode):|^\/dev\/null$/.test(target));
    expect(foreign).toEqual([]);
  });
});
