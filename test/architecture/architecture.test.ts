import { describe, expect, test } from "vitest";

import {
  environmentIsReadOnce,
  filesAreSmall,
  importsPointOneWay,
  jobsArePure,
  namesSaySomething,
  packagesHaveOneHome,
  type Rule,
  timeComesFromRuntime,
} from "./rules.ts";
import { readSources } from "./source.ts";

const program = (await readSources("src", "runner", "migrations")).filter(
  ({ file }) => !file.startsWith("src/gen/"),
);
const everything = await readSources(
  "src",
  "runner",
  "migrations",
  "test",
  "bench",
  "examples",
  "scripts",
);

const breaches = (rule: Rule, sources: typeof program): string[] => sources.flatMap(rule);

describe("DESIGN §7 holds", () => {
  test("there is something to look at", () => {
    expect(program.length).toBeGreaterThan(20);
  });

  test("arrows point one way", () => {
    expect(breaches(importsPointOneWay, program)).toEqual([]);
  });

  test("a package that belongs to one part is known to no other", () => {
    expect(breaches(packagesHaveOneHome, program)).toEqual([]);
  });

  test("the domain of jobs imports nothing", () => {
    expect(breaches(jobsArePure, program)).toEqual([]);
  });

  test("the environment is read in two files alone", () => {
    expect(breaches(environmentIsReadOnce, program)).toEqual([]);
  });

  test("time and chance come from src/runtime alone", () => {
    expect(breaches(timeComesFromRuntime, program)).toEqual([]);
  });

  test("no file is longer than 300 lines", () => {
    expect(breaches(filesAreSmall, everything)).toEqual([]);
  });

  test("every name says what the file is about", () => {
    expect(breaches(namesSaySomething, everything)).toEqual([]);
  });
});
