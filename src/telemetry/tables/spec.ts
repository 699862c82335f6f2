/** What an attribute can be: one of a list that is closed, so that the number of series is. */
export type Values = readonly string[];

/**
 * One instrument. The tables of these are all that there is: the meters, docs/telemetry.md, the
 * dashboard and the test of the alerts are made from them.
 */
export type Spec = {
  /** As OpenTelemetry has it; Prometheus sees `prometheusName`. */
  readonly name: string;
  readonly kind: "counter" | "up-down counter" | "histogram" | "gauge";
  /** In UCUM: `s`, `By`, `{job}`. */
  readonly unit: string;
  /** What it tells, in one sentence or two. */
  readonly tells: string;
  /** Explicit: exponential histograms vanish in the Prometheus exporter. */
  readonly buckets?: readonly number[];
  readonly attributes: Readonly<Record<string, Values | readonly MethodName[]>>;
};

/**
 * The one attribute whose values are not in a table: a method of the contract, `package.Service/Method`.
 * Only what is served is measured, so that these are as many as the contract has.
 */
export type MethodName = string & { readonly kind: "method of the contract" };

export const METHODS: readonly MethodName[] = [];

export type Table = Readonly<Record<string, Spec>>;

/** The attributes of one measurement. */
export type AttributesOf<S extends Spec> = {
  readonly [Key in keyof S["attributes"]]: S["attributes"][Key][number];
};

/** The name of a series at the Prometheus endpoint, without `_bucket`, `_sum` and `_count`. */
export const prometheusName = ({ name, kind }: Pick<Spec, "name" | "kind">): string =>
  `${name.replaceAll(/[^A-Za-z0-9]/g, "_")}${kind === "counter" ? "_total" : ""}`;

/** `value`, if it is on the list. What is not on it must not make a series of its own. */
export const oneOf = <const List extends Values>(
  list: List,
  value: string,
  otherwise: List[number],
): List[number] => (list.includes(value) ? value : otherwise);
