import { describe, expect, it } from "vitest";

import { sequence, type Service } from "../../src/runtime/lifecycle.ts";

describe("services in sequence", () => {
  const named = (name: string, said: string[], change: Partial<Service> = {}): Service => ({
    start: async () => {
      said.push(`start ${name}`);
      await Promise.resolve();
    },
    stop: async () => {
      await Promise.resolve();
      said.push(`stop ${name}`);
    },
    ...change,
  });

  it("start in order, and stop in reverse order, one after the other, however often they are asked to", async () => {
    const said: string[] = [];
    const all = sequence([named("a", said), named("b", said), named("c", said)]);
    await all.start();
    await Promise.all([all.stop(), all.stop(), all.stop()]);
    await all.stop();
    expect(said).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  });

  it("do not call the second one stopped before the first one is", async () => {
    const said: string[] = [];
    const held = Promise.withResolvers<void>();
    const all = sequence([
      named("a", said),
      named("b", said, { stop: async () => await held.promise }),
    ]);
    await all.start();
    void all.stop();
    const again = all.stop().then(() => said.push("stopped"));
    held.resolve();
    await again;
    expect(said).toEqual(["start a", "start b", "stop a", "stopped"]);
  });

  it("stop those that have started when one cannot start", async () => {
    const said: string[] = [];
    const broken = named("b", said, { start: async () => await Promise.reject(new Error("no")) });
    const all = sequence([named("a", said), broken, named("c", said)]);
    await expect(all.start()).rejects.toThrow("no");
    expect(said).toEqual(["start a", "stop b", "stop a"]);
  });

  it("start nothing more once they were told to stop, and leave nothing that had not heard it", async () => {
    const said: string[] = [];
    const slow = Promise.withResolvers<void>();
    const all = sequence([
      named("a", said, { start: async () => await slow.promise }),
      named("b", said),
    ]);
    const starting = all.start();
    await all.stop();
    slow.resolve();
    await expect(starting).rejects.toThrow("stopped before it had started");
    expect(said).toEqual(["stop a", "stop a"]);
    await expect(all.start()).rejects.toThrow("stopped before it was started");
  });

  it("stop all, even if one of them cannot", async () => {
    const said: string[] = [];
    const broken = named("b", said, { stop: async () => await Promise.reject(new Error("stuck")) });
    const all = sequence([named("a", said), broken, named("c", said)]);
    await all.start();
    await expect(all.stop()).rejects.toThrow("stuck");
    expect(said.slice(3)).toEqual(["stop c", "stop a"]);
  });
});
