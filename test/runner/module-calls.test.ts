import { expect, it } from "vitest";

import { moduleCalls } from "../../runner/executors/module-calls.ts";
import type { HostFault } from "../../runner/host-calls.ts";
import { createLibraries } from "../../runner/libraries/libraries.ts";
import { MODULE_CALL, MODULE_LIMITS, type ModuleAnswer } from "../../runner/module-wire.ts";
import { type TypeScripts, typeScripts } from "../support/type-scripts.ts";

const libraries = createLibraries();

/** What a child that says anything at any time is answered, in one attempt of the type `own`. */
const asker = (scripts: TypeScripts) => {
  const main = { organizationId: "acme", type: "own", typeVersion: 2, fileName: "script.ts" };
  const call = moduleCalls(main, { scriptOf: typeScripts(scripts), libraries }).get(MODULE_CALL);
  const { signal } = new AbortController();
  return async (payload: unknown): Promise<ModuleAnswer> =>
    (await call?.(payload, signal, () => {})) as ModuleAnswer;
};

it("a hostile child gets each text once, and no more answers than an honest one has questions", async () => {
  const ask = asker({ "a@1": "export const a = 1" });
  const specifier = "script:a";
  expect(await ask({ specifier })).toMatchObject({ code: "export const a = 1" });
  expect(await ask({ specifier: "script:a@1" })).toMatchObject({ file: "script:a@1", code: null });
  expect(await ask({ specifier: "papaparse" })).toMatchObject({ kind: "library" });
  expect(await ask({ specifier: "papaparse" })).toEqual({ kind: "again" });
  const all = Array.from({ length: MODULE_LIMITS.modules }, async () => await ask({ specifier }));
  const answers = await Promise.allSettled(all);
  const refused = answers.flatMap((one) =>
    one.status === "rejected" ? [one.reason as HostFault] : [],
  );
  expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => "quota.modules"));
  expect(JSON.stringify(answers)).not.toContain("export const a");
});

it("the attempt's own type is its own script, unless another version is named", async () => {
  const ask = asker({ "own@1": "old", "own@3": "new" });
  const own = { kind: "script", file: "script.ts", code: null };
  expect(await ask({ specifier: "script:own" })).toEqual(own);
  expect(await ask({ specifier: "script:own@2" })).toEqual(own);
  expect(await ask({ specifier: "script:own@3" })).toMatchObject({
    file: "script:own@3",
    code: "new",
  });
});

it.each([
  null,
  {},
  { specifier: 1 },
  { specifier: "zod", organizationId: "other" },
  { specifier: "script:../other" },
  { specifier: "script:a@1@2" },
  { specifier: "__proto__" },
  { specifier: "constructor" },
])("a question of another form is refused: %j", async (payload) => {
  await expect(asker({ "a@1": "1" })(payload)).rejects.toThrow();
});

it("a specifier of any length is refused in a few words", async () => {
  const asking = asker({})({ specifier: "x".repeat(250_000) });
  await expect(asking).rejects.toMatchObject({
    code: "module.not_allowed",
    message: expect.stringMatching(/^"x{200}" cannot be imported/) as string,
  });
  await expect(asking).rejects.toThrow(/^.{0,500}$/);
});
