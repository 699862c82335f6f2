import type { Attributes, Meter, MetricOptions } from "@opentelemetry/api";

import type { AttributesOf, Spec, Table } from "./tables/spec.ts";

/** Takes one measurement. The attributes are of the closed lists of the table. */
export type Measure<S extends Spec> = (value: number, attributes: AttributesOf<S>) => void;

/** Answers, whenever somebody collects, with all series of a gauge. */
export type Observe<S extends Spec> = (
  read: () => readonly (readonly [value: number, attributes: AttributesOf<S>])[],
) => void;

export type Meters<T extends Table> = {
  readonly [Key in keyof T]: T[Key]["kind"] extends "gauge" ? Observe<T[Key]> : Measure<T[Key]>;
};

/** Attributes that say nothing are left out, as the conventions have it for `error.type`. */
const stated = (attributes: Readonly<{ [name: string]: string }>): Attributes => {
  const all = Object.entries(attributes);
  return all.every(([, value]) => value !== "")
    ? attributes
    : Object.fromEntries(all.filter(([, value]) => value !== ""));
};

const optionsOf = ({ unit, tells, buckets }: Spec): MetricOptions => ({
  unit,
  description: tells,
  ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
});

type Combination = Readonly<Record<string, string>>;

const MOST_ZEROS = 16;

/**
 * All series of a counter that has few, so that they begin at zero: an increase from nothing to one is
 * none to Prometheus, and no alert would see it.
 */
const everyCombination = ({ attributes }: Spec): readonly Combination[] => {
  let all: readonly Combination[] = [{}];
  for (const [name, values] of Object.entries(attributes)) {
    all = all.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  return all.length > MOST_ZEROS ? [] : all;
};

const gaugeOf = (meter: Meter, spec: Spec): Observe<Spec> => {
  const gauge = meter.createObservableGauge(spec.name, optionsOf(spec));
  return (read) => {
    gauge.addCallback((result) => {
      for (const [value, attributes] of read()) result.observe(value, stated(attributes));
    });
  };
};

const meterOf = (meter: Meter, spec: Spec): Measure<Spec> | Observe<Spec> => {
  const options = optionsOf(spec);
  switch (spec.kind) {
    case "gauge":
      return gaugeOf(meter, spec);
    case "histogram": {
      const histogram = meter.createHistogram(spec.name, options);
      return (value, attributes) => histogram.record(value, stated(attributes));
    }
    case "counter": {
      const counter = meter.createCounter(spec.name, options);
      for (const attributes of everyCombination(spec)) counter.add(0, stated(attributes));
      return (value, attributes) => counter.add(value, stated(attributes));
    }
    case "up-down counter": {
      const counter = meter.createUpDownCounter(spec.name, options);
      return (value, attributes) => counter.add(value, stated(attributes));
    }
  }
};

/** All instruments of a table, by their keys. */
export const createMeters = <const T extends Table>(meter: Meter, table: T): Meters<T> =>
  Object.fromEntries(
    Object.entries(table).map(([key, spec]) => [key, meterOf(meter, spec)]),
  ) as Meters<T>;
