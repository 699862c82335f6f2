import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { codeOf, resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/** How each limit tells of itself. The many ways to run into one are in test/attacks. */
describe("a script that goes too far", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  it.each([
    ["an endless loop", "export default () => { for (;;); }"],
    ["a loop in native code", "export default () => [].includes.call({ length: 2 ** 53 - 1 }, 1)"],
  ])("is killed for its CPU time: %s", async (_, code) => {
    const { ending } = await sandbox.run(code);
    expect(ending).toMatchObject({
      kind: "failed",
      error: { code: "timeout.cpu", retryable: true },
    });
    expect(ending.cpuMs).toBeGreaterThanOrEqual(300);
  });

  it("is ended by the wall clock, and used no CPU", async () => {
    const code = "export default () => new Promise(() => {})";
    const { ending } = await sandbox.run(code, { timeoutMs: 200 });
    expect(ending).toMatchObject({
      kind: "failed",
      error: { code: "timeout.wall", retryable: true },
    });
    expect(ending.cpuMs).toBeLessThan(100);
  });

  it("is killed for its memory when it bypasses the heap's limit", async () => {
    const small = await startSandbox({ limits: { rssBytes: 180 * 2 ** 20, cpuMs: 10_000 } });
    const resized = `export default () => {
      const buffer = new ArrayBuffer(0, { maxByteLength: 1e9 });
      buffer.resize(1e9);
      new Uint8Array(buffer).fill(1);
    }`;
    const formats = `export default () => {
      const all = [];
      for (;;) all.push(new Intl.DateTimeFormat("de"));
    }`;
    expect(codeOf(await small.run(resized))).toBe("memory");
    expect(codeOf(await small.run(formats))).toBe("memory");
    await small.stop();
  });

  it("fails with `memory` at the heap's limit, also after an await", async () => {
    const roomy = await startSandbox({ limits: { heapMb: 16, cpuMs: 10_000 } });
    const hoard = "const all = []; for (;;) all.push({ text: 'x'.repeat(1000) + all.length });";
    expect(codeOf(await roomy.run(`export default () => { ${hoard} }`))).toBe("memory");
    expect(codeOf(await roomy.run(`export default async () => { await 0; ${hoard} }`))).toBe(
      "memory",
    );
    expect(resultOf(await roomy.run("export default () => 1"))).toBe(1);
    await roomy.stop();
  });

  it("gets no result through that is larger than allowed", async () => {
    const ran = await sandbox.run("export default () => 'ä'.repeat(2 ** 19)");
    expect(ran.ending).toMatchObject({ error: { code: "result.too_large", retryable: false } });
  });

  it("may wait for a thousand timers, not for more", async () => {
    const code =
      "export default () => { for (let i = 0; i < 1001; i++) setTimeout(() => {}, 1e6); }";
    const ran = await sandbox.run(code);
    expect(ran.ending).toMatchObject({ error: { code: "quota.timers", retryable: false } });
  });

  it("may set and clear timers as often as it likes", async () => {
    const code = `export default async (_, ctx) => {
      for (let i = 0; i < 20_000; i++) clearTimeout(setTimeout(() => {}, 30_000 - i));
      await ctx.sleep(1);
      return "fine";
    }`;
    expect(resultOf(await sandbox.run(code))).toBe("fine");
  });
});
