import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CONTEXT } from "../../runner/surface/context.ts";
import { GLOBALS } from "../../runner/surface/globals.ts";
import { readSurface, renderDeclarations, renderDocument } from "../../scripts/render-surface.ts";
import { resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

const names = (entries: readonly { readonly name: string }[]): string[] =>
  entries.map(({ name }) => name).toSorted();

describe("the surface of a script", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  it("is what types/guest.d.ts and docs/scripts.md say: node scripts/render-surface.ts", async () => {
    const { declarations, document } = await readSurface();
    expect(declarations).toBe(await renderDeclarations());
    expect(document).toBe(renderDocument(document));
  });

  it("names nothing twice", () => {
    expect(new Set(names(GLOBALS)).size).toBe(GLOBALS.length);
  });

  it("has exactly the documented names on the global object, and no symbols", async () => {
    const code = `export default () => [
      Object.getOwnPropertyNames(globalThis).sort(),
      Object.getOwnPropertySymbols(globalThis).map(String),
      Object.getOwnPropertyNames(Object.getPrototypeOf(globalThis)),
    ]`;
    expect(resultOf(await sandbox.run(code))).toEqual([
      [...LANGUAGE, ...names(GLOBALS)].toSorted(),
      [],
      GLOBAL_PROTOTYPE,
    ]);
  });

  it("has exactly the documented keys on ctx, and ctx cannot be changed", async () => {
    const code = `export default (_, ctx) => [Reflect.ownKeys(ctx).map(String).sort(), Object.isFrozen(ctx)]`;
    expect(resultOf(await sandbox.run(code))).toEqual([names(CONTEXT), true]);
  });

  it("becomes plain properties, however a name is used first", async () => {
    const code = `export default () => {
      globalThis.URL = 1;
      const { value } = Object.getOwnPropertyDescriptor(globalThis, "URL");
      return [${JSON.stringify(names(GLOBALS))}, value].flat().map((name) => {
        if (name === "URL" || name === 1) return true;
        const first = globalThis[name];
        const now = Object.getOwnPropertyDescriptor(globalThis, name);
        return now.value === first && first !== undefined && now.writable && now.configurable && !now.enumerable || name;
      });
    }`;
    const answers = resultOf(await sandbox.run(code)) as unknown[];
    expect(answers.filter((answer) => answer !== true)).toEqual([]);
  });
});

const GLOBAL_PROTOTYPE = ["constructor"];

/** What V8 brings for ECMAScript, Intl and Temporal, less what the guest takes away. */
const LANGUAGE =
  `Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date
  Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError
  globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array
  Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float32Array Float64Array Float16Array
  DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef decodeURI
  decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN Temporal
  SuppressedError DisposableStack AsyncDisposableStack`.split(/\s+/);
