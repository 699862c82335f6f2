import type { Promised } from "./promises.ts";

/** A promise of the service that did not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
  constructor(promise: Promised, facts: object) {
    super(faultOf(promise, facts));
  }
}

export const faultOf = (promise: Promised, facts: object): string =>
  `${promise}: ${JSON.stringify(facts)}`;

/** @throws Broken */
export const broken = (promise: Promised, facts: object): never => {
  throw new Broken(promise, facts);
};
