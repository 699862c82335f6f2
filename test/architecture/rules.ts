import path from "node:path";

import { codeOf } from "./code.ts";
import { importsOf, type Source } from "./source.ts";

/** A breach of a rule of DESIGN §7, told with its place. */
export type Breach = string;
export type Rule = (source: Source) => Breach[];

/** Which part of the project a file belongs to: `src/api`, `src/config.ts`, `runner/guest`, `runner`. */
export const partOf = (file: string): string => {
  const [top = "", second = "", ...rest] = file.split("/");
  if (top === "src") return `src/${second}`;
  if (top === "runner") return rest.length === 0 ? "runner" : `runner/${second}`;
  return top;
};

/**
 * Who may import whom. `runtime`, `jobs` and `outgoing` are leaves, arrows point one way, and runner/
 * and src/ meet in gen, outgoing and runtime alone, but for the one door of src/cli/runner.ts below.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/main.ts": ["src/cli", "src/environment.ts", "src/runtime"],
  "src/cli": [
    "src/catalog",
    "src/config.ts",
    "src/serve.ts",
    "src/identity",
    "src/telemetry",
    "src/store",
    "src/jobs",
    "src/runtime",
    "src/gen",
  ],
  "src/environment.ts": [],
  "src/config.ts": ["src/config", "src/outgoing"],
  "src/config": ["src/outgoing"],
  "src/serve.ts": [
    "src/serve",
    "src/outgoing",
    "src/config.ts",
    "src/api",
    "src/cluster",
    "src/shard",
    "src/identity",
    "src/catalog",
    "src/schedules",
    "src/delivery",
    "src/metrics",
    "src/store",
    "src/telemetry",
    "src/jobs",
    "src/runtime",
  ],
  "src/serve": [
    "src/outgoing",
    "src/config.ts",
    "src/api",
    "src/cluster",
    "src/identity",
    "src/catalog",
    "src/store",
    "src/runtime",
  ],
  "src/api": [
    "src/outgoing",
    "src/cluster",
    "src/shard",
    "src/identity",
    "src/catalog",
    "src/schedules",
    "src/delivery",
    "src/metrics",
    "src/store",
    "src/telemetry",
    "src/jobs",
    "src/runtime",
    "src/gen",
  ],
  "src/cluster": ["src/shard", "src/store", "src/jobs", "src/runtime", "src/gen"],
  "src/shard": ["src/store", "src/jobs", "src/runtime"],
  "src/identity": ["src/store", "src/jobs", "src/runtime"],
  "src/catalog": ["src/store", "src/jobs", "src/runtime"],
  "src/schedules": ["src/shard", "src/store", "src/jobs", "src/runtime"],
  "src/delivery": ["src/shard", "src/store", "src/jobs", "src/outgoing", "src/runtime"],
  "src/metrics": ["src/store", "src/jobs", "src/runtime"],
  "src/telemetry": ["src/config", "src/delivery", "src/shard", "src/jobs", "src/runtime"],
  "src/store": ["src/jobs", "src/runtime"],
  "src/jobs": [],
  "src/outgoing": [],
  "src/runtime": [],
  "src/gen": [],
  runner: [
    "runner/executors",
    "runner/sandbox",
    "runner/guest",
    "runner/egress",
    "runner/commands",
    "runner/libraries",
    "src/gen",
    "src/outgoing",
    "src/runtime",
  ],
  "runner/executors": [
    "runner",
    "runner/sandbox",
    "runner/egress",
    "runner/guest",
    "src/gen",
    "src/runtime",
  ],
  "runner/sandbox": ["runner", "runner/guest", "src/runtime"],
  "runner/egress": ["runner", "src/outgoing", "src/runtime"],
  "runner/commands": ["runner", "src/runtime"],
  "runner/libraries": ["runner", "src/runtime"],
  "runner/guest": ["runner/surface"],
  "runner/surface": [],
  migrations: [],
};

/** The one command that starts the other program; what the guest says to the broker. */
const DOORS: ReadonlySet<string> = new Set([
  "src/cli/runner.ts -> runner/main.ts",
  "runner/guest/fetching.ts -> runner/fetch-wire.ts",
  "runner/guest/web/fetch.ts -> runner/fetch-wire.ts",
  "runner/guest/web/response.ts -> runner/fetch-wire.ts",
]);

const isOurs = (target: string): boolean =>
  /^(src|runner|migrations|test|bench|examples)\//.test(target);

export const importsPointOneWay: Rule = (source) => {
  const part = partOf(source.file);
  const allowed = MAY_IMPORT[part];
  if (allowed === undefined) return [`${source.file}: DESIGN §7 knows no ${part}`];
  return importsOf(source)
    .filter(isOurs)
    .filter((target) => partOf(target) !== part && !allowed.includes(partOf(target)))
    .filter((target) => !DOORS.has(`${source.file} -> ${target}`))
    .map((target) => `${source.file} may not import ${target}`);
};

/** Packages that one part alone may know. */
const OWNED: readonly (readonly [RegExp, RegExp])[] = [
  [/^(knex|mysql2|node:sqlite)(\/|$)/, /^(src\/store|migrations)\//],
  [/^croner$/, /^src\/schedules\//],
  [/^(undici|ipaddr\.js)$/, /^(runner\/egress|src\/outgoing)\//],
  [/^standardwebhooks$/, /^src\/delivery\//],
  [/^isolated-vm$/, /^(runner\/sandbox|bench)\//],
  [/^(commander|cli-progress|picocolors)$/, /^src\/(cli\/|main\.ts)/],
  [/^@opentelemetry\//, /^(src\/telemetry|src\/api|runner)\//],
  [/^@connectrpc\//, /^(src\/(api|cluster|cli|gen)|runner)\//],
];

export const packagesHaveOneHome: Rule = (source) =>
  importsOf(source).flatMap((target) =>
    OWNED.filter(([name, home]) => name.test(target) && !home.test(source.file)).map(
      () => `${source.file} may not import ${target}`,
    ),
  );

/** The domain decides and does nothing: no file, socket, clock or library in it. */
export const jobsArePure: Rule = (source) =>
  source.file.startsWith("src/jobs/")
    ? importsOf(source)
        .filter((target) => !target.startsWith("src/jobs/"))
        .map((target) => `${source.file} is pure and may not import ${target}`)
    : [];

const findLines = (source: Source, pattern: RegExp, what: string): Breach[] =>
  codeOf(source.text)
    .split("\n")
    .flatMap((line, index) =>
      pattern.test(line) ? [`${source.file}:${index + 1} ${what}: ${line.trim()}`] : [],
    );

const MAY_READ_ENVIRONMENT: ReadonlySet<string> = new Set([
  "src/environment.ts",
  "runner/config.ts",
]);

export const environmentIsReadOnce: Rule = (source) =>
  MAY_READ_ENVIRONMENT.has(source.file)
    ? []
    : findLines(
        source,
        /\bprocess\s*\??\.\s*env\b|\bprocess\["env"\]|\benv\b.*from "node:process"/,
        "reads the environment",
      );

const CLOCKS =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|(?<![.\w])(setTimeout|setInterval)\(|\bMath\.random\b|\bperformance\.now\b|from "(node:)?timers|\bprocess\.hrtime\b/;

/** The guest's own clock and timers are what runner/guest gives to scripts. */
export const timeComesFromRuntime: Rule = (source) =>
  /^(src\/runtime|runner\/guest)\//.test(source.file)
    ? []
    : findLines(source, CLOCKS, "takes time or chance past src/runtime");

const LONGEST_FILE = 300;

export const filesAreSmall: Rule = ({ file, text }) => {
  const lines = text.trimEnd().split("\n").length;
  return lines > LONGEST_FILE && !file.startsWith("src/gen/")
    ? [`${file} has ${lines} lines, more than ${LONGEST_FILE}`]
    : [];
};

const VAGUE = /(^|[-_.])(utils?|helpers?|common|lib|misc|managers?)([-_.]|$)/;
const KEBAB = /^[a-z0-9]+([-.][a-z0-9]+)*$/;

export const namesSaySomething: Rule = ({ file }) => {
  if (file.startsWith("src/gen/")) return [];
  return file.split("/").flatMap((name) => {
    if (VAGUE.test(name)) return [`${file}: ${name} says nothing about its subject`];
    const plain = file.startsWith("migrations/") ? path.basename(name).replaceAll("_", "-") : name;
    return KEBAB.test(plain) ? [] : [`${file}: ${name} is not kebab-case`];
  });
};
