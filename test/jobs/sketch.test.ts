import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Sketch } from "../../src/jobs/sketch.ts";

const YEARS = 30 * 365 * 86_400_000;
/** As durations are: from nothing to years, of every order of magnitude. */
const DURATION = fc.oneof(
  fc.nat(20),
  fc.double({ min: 0, max: Math.log(YEARS), noNaN: true }).map((log) => Math.round(Math.exp(log))),
);
const MANY = fc.array(DURATION, { minLength: 1, maxLength: 200 });

const sketchOf = (values: readonly number[]): Sketch => {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch;
};

const merged = (...texts: readonly string[]): Sketch => {
  const sketch = new Sketch();
  for (const text of texts) sketch.merge(text);
  return sketch;
};

describe("a sketch", () => {
  test("tells every quantile within 5 %, and sum, count and maximum exactly", () => {
    fc.assert(
      fc.property(MANY, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sketch = sketchOf(values);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.floor(q * (values.length - 1))] ?? Number.NaN;
        expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(0.05 * exact);
        expect(sketch.count).toBe(values.length);
        expect(sketch.max).toBe(sorted.at(-1));
        expect(sketch.sum).toBe(values.reduce((sum, value) => sum + value, 0));
      }),
    );
  });

  test("merged of parts is that of the whole, in whatever order and however they were joined", () => {
    fc.assert(
      fc.property(MANY, MANY, MANY, (a, b, c) => {
        const [one, two, three] = [a, b, c].map((values) => sketchOf(values).text());
        if (one === undefined || two === undefined || three === undefined) return;
        const whole = sketchOf([...a, ...b, ...c]).text();
        expect(merged(one, two, three).text()).toBe(whole);
        expect(merged(three, merged(two, one).text()).text()).toBe(whole);
        expect(merged(merged(one, two).text(), three, "").text()).toBe(whole);
      }),
    );
  });

  test("is told in few characters", () => {
    expect(new Sketch().text()).toBe("");
    expect(sketchOf([1_000]).text()).toBe("rs rs 2g");
    const widest = Array.from({ length: 100_000 }, (_, at) => Math.exp((at / 100_000) * 27));
    expect(sketchOf(widest).text().length).toBeLessThan(2_500);
  });

  test("refuses a text that is none", () => {
    for (const text of ["x y z:!", "-1 3 4", "?"])
      expect(() => Sketch.of(text)).toThrow(RangeError);
  });
});
