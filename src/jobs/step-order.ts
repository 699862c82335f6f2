/** In what order the steps of a workflow can run. Steps are numbers; each names those it waits for. */
export type Upstreams = readonly (readonly number[])[];

export type StepOrder = {
  /** How many steps follow one another on the longest way, those of cycles left out. */
  readonly depth: number;
  /** Ways that lead back to where they began, in the order of running; none if all steps can run. */
  readonly cycles: readonly (readonly number[])[];
};

/** Those that wait for each. */
const dependentsOf = (upstreams: Upstreams): number[][] => {
  const dependents: number[][] = upstreams.map(() => []);
  for (const [step, waitsFor] of upstreams.entries()) {
    for (const upstream of waitsFor) dependents[upstream]?.push(step);
  }
  return dependents;
};

/** How many steps lead up to each, itself included; 0 for what can never run. */
export const depthsOf = (upstreams: Upstreams): number[] => {
  const dependents = dependentsOf(upstreams);
  const missing = upstreams.map(({ length }) => length);
  const depth = upstreams.map(({ length }): number => (length === 0 ? 1 : 0));
  const reached = upstreams.map(() => 0);
  const ready = [...upstreams.keys()].filter((step) => depth[step] === 1);
  for (let step = ready.pop(); step !== undefined; step = ready.pop()) {
    for (const next of dependents[step] ?? []) {
      reached[next] = Math.max(reached[next] ?? 0, (depth[step] ?? 0) + 1);
      missing[next] = (missing[next] ?? 0) - 1;
      if (missing[next] !== 0) continue;
      depth[next] = reached[next] ?? 0;
      ready.push(next);
    }
  }
  return depth;
};

/**
 * Whatever can never run waits for something that cannot either: going that way from each, once,
 * comes to one cycle at least.
 */
const cyclesOf = (upstreams: Upstreams, depth: readonly number[]): number[][] => {
  const seenFrom = new Map<number, number>();
  const cycles: number[][] = [];
  for (const start of upstreams.keys()) {
    const way: number[] = [];
    let step: number | undefined = start;
    while (step !== undefined && depth[step] === 0 && !seenFrom.has(step)) {
      seenFrom.set(step, start);
      way.push(step);
      step = upstreams[step]?.find((upstream) => depth[upstream] === 0);
    }
    const back = step === undefined || seenFrom.get(step) !== start ? -1 : way.indexOf(step);
    if (back >= 0) cycles.push(way.slice(back).toReversed());
  }
  return cycles;
};

/** Linear in steps and ties. */
export const orderOf = (upstreams: Upstreams): StepOrder => {
  const depth = depthsOf(upstreams);
  return {
    depth: depth.reduce((most, one) => Math.max(most, one), 0),
    cycles: cyclesOf(upstreams, depth),
  };
};
