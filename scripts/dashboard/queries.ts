import { RUNNER_TABLE } from "../../src/telemetry/tables/runner.ts";
import { SENDING_TABLE } from "../../src/telemetry/tables/sending.ts";
import { SERVER_TABLE } from "../../src/telemetry/tables/server.ts";
import { prometheusName, type Spec } from "../../src/telemetry/tables/spec.ts";

/** One line of a panel. */
export type Query = { readonly expression: string; readonly legend: string };

/** The servers and runners that are chosen at the top of the dashboard. */
export const CHOSEN = {
  server: 'instance=~"$server"',
  runner: 'instance=~"$runner"',
  both: 'instance=~"$server|$runner"',
} as const;

const RUNNERS: ReadonlySet<Spec> = new Set<Spec>(Object.values(RUNNER_TABLE));
const BOTH: ReadonlySet<Spec> = new Set<Spec>(Object.values(SENDING_TABLE));

const chosenOf = (spec: Spec): string => {
  if (BOTH.has(spec)) return CHOSEN.both;
  return RUNNERS.has(spec) ? CHOSEN.runner : CHOSEN.server;
};

type AttributeOf<S extends Spec> = keyof S["attributes"] & string;

const label = (attribute: string): string => attribute.replaceAll(".", "_");

const matcher = (attribute: string, value: string): string => `${label(attribute)}="${value}"`;

const series = (spec: Spec, suffix = "", matchers: readonly string[] = []): string => {
  return `${prometheusName(spec)}${suffix}{${[chosenOf(spec), ...matchers].join(", ")}}`;
};

const sumBy = (attributes: readonly string[], of: string): string =>
  attributes.length === 0 ? `sum(${of})` : `sum by (${attributes.map(label).join(", ")}) (${of})`;

const legendOf = (attributes: readonly string[], otherwise: string): string =>
  attributes.length === 0
    ? otherwise
    : attributes.map((attribute) => `{{${label(attribute)}}}`).join(" ");

/** The gauges of all programs together, by these attributes. */
export const total = <S extends Spec>(
  spec: S & { readonly kind: "gauge" | "up-down counter" },
  ...attributes: readonly AttributeOf<S>[]
): Query => ({
  expression: sumBy(attributes, series(spec)),
  legend: legendOf(attributes, "all"),
});

/** The largest of all programs. */
export const most = (spec: Spec & { readonly kind: "gauge" }, legend = "most"): Query => ({
  expression: `max(${series(spec)})`,
  legend,
});

/** How many a second. */
export const rate = <S extends Spec>(
  spec: S & { readonly kind: "counter" | "histogram" },
  ...attributes: readonly AttributeOf<S>[]
): Query => ({
  expression: sumBy(
    attributes,
    `rate(${series(spec, spec.kind === "histogram" ? "_count" : "")}[$__rate_interval])`,
  ),
  legend: legendOf(attributes, "all"),
});

/** How many there were in the time that is shown. */
export const count = <S extends Spec>(
  spec: S & { readonly kind: "counter" },
  ...attributes: readonly AttributeOf<S>[]
): Query => ({
  expression: sumBy(attributes, `increase(${series(spec)}[$__range])`),
  legend: legendOf(attributes, "all"),
});

/** The same of those alone that have this value of an attribute. */
export const countOf = <S extends Spec, const A extends AttributeOf<S>>(
  spec: S & { readonly kind: "counter" },
  attribute: A,
  value: S["attributes"][A][number],
): Query => ({
  expression: `sum(increase(${series(spec, "", [matcher(attribute, value)])}[$__range]))`,
  legend: value,
});

/** A quantile, from 0 to 1, of what a histogram measures. */
export const quantile = <S extends Spec>(
  q: number,
  spec: S & { readonly kind: "histogram" },
  ...attributes: readonly AttributeOf<S>[]
): Query => ({
  expression: `histogram_quantile(${q}, sum by (${["le", ...attributes.map(label)].join(", ")}) (rate(${series(spec, "_bucket")}[$__rate_interval])))`,
  legend: [`p${q * 100}`, ...attributes.map((one) => `{{${label(one)}}}`)].join(" "),
});

export const quantiles = (spec: Spec & { readonly kind: "histogram" }): readonly Query[] =>
  [0.5, 0.95, 0.99].map((q) => quantile(q, spec));

/** The part, from 0 to 1, that has this value of an attribute. */
export const part = <S extends Spec, const A extends AttributeOf<S>>(
  spec: S & { readonly kind: "counter" | "gauge" },
  attribute: A,
  value: S["attributes"][A][number],
  legend: string,
): Query => {
  const matched = [matcher(attribute, value)];
  const sum = (of: string): string =>
    spec.kind === "gauge" ? `sum(${of})` : `sum(rate(${of}[$__rate_interval]))`;
  return {
    expression: `${sum(series(spec, "", matched))} / ${sum(series(spec))}`,
    legend,
  };
};

/** Every table in one, for those who look a name up. */
export const ALL: readonly Spec[] = [
  ...Object.values(SERVER_TABLE),
  ...Object.values(RUNNER_TABLE),
  ...Object.values(SENDING_TABLE),
];
