import type { Line } from "./line.ts";

/**
 * A receiver, whoever sends to it. It has a few places: one for an organization that it does not
 * answer, and not all of them for one organization while others have something for it.
 */
export class Origin {
  readonly name: string;
  readonly #places: number;
  readonly #placesOfOne: number;
  /** Due, and without a place here: something is under way here whose end wakes them. */
  #parked: Line[] = [];
  #inFlight = 0;
  /** Lines that lead here. */
  lines = 0;

  constructor(name: string, places: number) {
    this.name = name;
    this.#places = places;
    this.#placesOfOne = Math.max(1, Math.floor(places * 0.75));
  }

  get isIdle(): boolean {
    return this.lines === 0 && this.#inFlight === 0;
  }

  placesFor({ isSilent, inFlight }: Line): number {
    const most = this.lines > 1 ? this.#placesOfOne : this.#places;
    return Math.min((isSilent ? 1 : most) - inFlight, this.#places - this.#inFlight);
  }

  /** Takes places, or gives them back if there are less than none. */
  use(line: Line, places: number): void {
    line.inFlight += places;
    this.#inFlight += places;
  }

  park(line: Line): void {
    this.#parked.push(line);
  }

  /**
   * Those that have a place now: all of them, for whoever is first may have to wait for something
   * else, and the place is not to wait with him. So whoever is parked has no place.
   */
  unpark(): Line[] {
    if (this.#inFlight >= this.#places) return [];
    const { ready = [], waiting = [] } = Object.groupBy(this.#parked, (line) =>
      this.placesFor(line) > 0 ? "ready" : "waiting",
    );
    this.#parked = waiting;
    return ready;
  }
}
