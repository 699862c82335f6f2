import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LIBRARIES } from "../../runner/libraries/list.ts";
import { resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/** One script for each library that uses what people use it for, and what it comes to. */
const USES: Readonly<Record<string, readonly [code: string, result: unknown]>> = {
  zod: [
    `import { z } from "zod"; import zod, * as all from "zod";
    export default (input) => {
      const Order = z.object({ id: z.int(), at: z.iso.datetime(), tags: z.array(z.string()).default([]) });
      const bad = Order.safeParse({ id: 1.5 });
      return [Order.parse(input), bad.error.issues.map((issue) => issue.path[0]), [zod.string === z.string, all.default === zod],
        z.toJSONSchema(z.enum(["a", "b"])).enum];
    }`,
    [{ id: 7, at: "2026-01-02T03:04:05Z", tags: [] }, ["id", "at"], [true, true], ["a", "b"]],
  ],
  "date-fns": [
    `import { addMonths, formatISO, parseISO, differenceInCalendarDays } from "date-fns";
    export default ({ at }) => [
      formatISO(addMonths(parseISO("2026-01-31"), 1), { representation: "date" }),
      differenceInCalendarDays(parseISO(at), parseISO("2025-12-31")),
    ];`,
    ["2026-02-28", 2],
  ],
  "lodash-es": [
    `import _, { chunk, groupBy, merge, debounce } from "lodash-es";
    export default async () => [
      chunk([1, 2, 3], 2), groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")),
      merge({ a: { b: 1 } }, { a: { c: 2 } }), _([3, 1]).sortBy().value(),
      await new Promise((done) => debounce(() => done("later"), 1)()),
    ];`,
    [[[1, 2], [3]], { odd: [1, 3], even: [2] }, { a: { b: 1, c: 2 } }, [1, 3], "later"],
  ],
  papaparse: [
    `import Papa from "papaparse";
    export default () => [
      Papa.parse('a,b\\n1,"x, y"', { header: true, dynamicTyping: true }).data,
      Papa.unparse([{ a: 1, b: 'say "hi"' }]),
    ];`,
    [[{ a: 1, b: "x, y" }], 'a,b\r\n1,"say ""hi"""'],
  ],
  yaml: [
    `import YAML, { parse, stringify } from "yaml";
    export default () => [parse("a: [1, 2]\\nb: &x {c: true}\\nd: *x"), stringify({ a: ["b"] }), YAML.parse("1")];`,
    [{ a: [1, 2], b: { c: true }, d: { c: true } }, "a:\n  - b\n", 1],
  ],
};

describe("a library", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ limits: { cpuMs: 5_000 } });
  });
  afterAll(async () => {
    await sandbox.stop();
  });

  const INPUT = { id: 7, at: "2026-01-02T03:04:05Z" };

  it.each([...LIBRARIES.keys()])(
    "%s works, also when it comes from the code cache",
    async (name) => {
      const [code, result] = USES[name] ?? ["", "no test"];
      for (let attempt = 1; attempt <= 3; attempt++) {
        expect(resultOf(await sandbox.run(code, { input: INPUT }))).toEqual(result);
      }
    },
  );

  it("adds nothing of ours to the globals, and is new in each attempt", async () => {
    const code = `import _ from "lodash-es"; import { stringify } from "yaml";
      export default () => {
        const before = _.mine; _.mine = 1; stringify.mine = 1;
        return [before, Object.getOwnPropertyNames(globalThis).filter((name) => /millrace|export/.test(name))];
      }`;
    expect(resultOf(await sandbox.run(code))).toEqual([null, []]);
    expect(resultOf(await sandbox.run(code))).toEqual([null, []]);
  });

  it("stands in a stack with the names of its functions", async () => {
    const code = 'import { map } from "lodash-es";\nexport default () => map([1], (n) => n.no());';
    const { ending } = await sandbox.run(code);
    expect(ending).toMatchObject({
      error: {
        code: "script.threw",
        stack: expect.stringMatching(
          /script\.ts:2:40\n {4}at arrayMap \(library:lodash-es:\d+:\d+\)[^]*script\.ts:2:22/,
        ) as string,
      },
    });
  });

  it("that a script lacks is a syntax error with its name", async () => {
    const { ending } = await sandbox.run('import { nope } from "yaml"; export default () => nope');
    expect(ending).toMatchObject({
      error: { code: "script.syntax", message: expect.stringContaining("'nope'") as string },
    });
  });
});
