import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { connect, type ServerConnection } from "../../runner/connection.ts";
import { createScripts, type Scripts } from "../../runner/scripts.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { type RunnerServer, startRunnerServer } from "../support/runner-server.ts";

let server: RunnerServer;
let connection: ServerConnection;
let clock: ManualClock;
let scripts: Scripts;
beforeAll(async () => {
  server = await startRunnerServer();
  connection = connect(server.url(), server.token, systemClock);
});
beforeEach(() => {
  clock = createManualClock();
  scripts = createScripts({ clock, random: systemRandom, route: () => connection });
});
afterAll(async () => {
  connection.close();
  await server.close();
});

/** What the server was asked while `use` ran. */
const asked = async (use: () => Promise<unknown>): Promise<readonly string[]> => {
  const before = server.scriptCalls.length;
  await use();
  return server.scriptCalls.slice(before);
};

it("the newest version of a type is asked for once in 2 s, and once for all who ask at once", async () => {
  server.putScript("lib", "export const v = 1");
  const newest = async () => await scripts.ofType("acme", "lib", 0);
  expect(await asked(async () => await Promise.all([newest(), newest()]))).toEqual(["acme/lib"]);
  clock.advance(1_999);
  expect(await asked(newest)).toEqual([]);
  server.putScript("lib", "export const v = 2");
  clock.advance(2);
  expect(await asked(newest)).toEqual(["acme/lib"]);
  expect((await newest()).code).toBe("export const v = 2");
});

it("a version that was named is asked for once, and its text is known by its hash from then on", async () => {
  server.putScript("pinned", "export const v = 7");
  const third = async () => await scripts.ofType("acme", "pinned", 3);
  expect(await third()).toMatchObject({ version: 3, code: "export const v = 7" });
  clock.advance(3_600_000);
  expect(await asked(third)).toEqual([]);
  expect(await asked(async () => await scripts.get("acme", "hash of pinned"))).toEqual([]);
});

it("what one organization has is not what another has", async () => {
  server.putScript("own", "export const v = 1");
  await scripts.ofType("acme", "own", 1);
  expect(await asked(async () => await scripts.ofType("other", "own", 1))).toEqual(["other/own"]);
});

it("a script that is not there is asked for again", async () => {
  await expect(scripts.ofType("acme", "late", 0)).rejects.toThrow("no such script");
  server.putScript("late", "export const v = 1");
  expect(await scripts.ofType("acme", "late", 0)).toMatchObject({ code: "export const v = 1" });
});
