/** A promise of the service that did not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/** @throws Broken */
export const broken = (promise: string, facts: object): never => {
  throw new Broken(`${promise}: ${JSON.stringify(facts)}`);
};
