import type { Clock } from "../../src/runtime/clock.ts";
import type { Random } from "../../src/runtime/random.ts";

/** A number generator that a seed determines: mulberry32 (Tommy Ettinger, public domain). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** [0, 1) */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.fraction() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

type Event = { readonly at: number; readonly order: number; readonly run: () => void };

const MIDNIGHT = Date.UTC(2026, 0, 2);

/**
 * Simulated time. Nothing happens but by an event, one at a time, in an order that the seed
 * determines; between two events everything that they set in motion comes to rest.
 */
export class World {
  readonly dice: Dice;
  /** Soon an hour and a day will be over. */
  readonly #start: number;
  #now: number;
  #order = 0;
  #ids = 0;
  readonly #events: Event[] = [];
  /** Real work under way: the one thing that simulated time waits for. */
  #realWork = 0;
  /** What happened, for those who have to understand a failing seed. */
  readonly trace: string[] = [];

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.#start = MIDNIGHT - this.dice.between(1_000, 25_000);
    this.#now = this.#start;
  }

  get now(): number {
    return this.#now;
  }

  note(text: string): void {
    this.trace.push(`${String(this.#now - this.#start).padStart(7)} ${text}`);
  }

  at(delay: number, run: () => void): () => void {
    const event = { at: this.#now + Math.max(0, delay), order: (this.#order += 1), run };
    let index = this.#events.length;
    while (index > 0 && isAfter(this.#events[index - 1], event)) index -= 1;
    this.#events.splice(index, 0, event);
    return () => {
      const position = this.#events.indexOf(event);
      if (position >= 0) this.#events.splice(position, 1);
    };
  }

  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.at(ms, resolve);
    });
  }

  /** Real work, at one moment of simulated time. */
  async real<T>(work: () => Promise<T>): Promise<T> {
    this.#realWork += 1;
    try {
      return await work();
    } finally {
      this.#realWork -= 1;
    }
  }

  /** Runs events until `done` says so. False if that did not happen within `ms`. */
  async run(done: () => boolean, ms: number): Promise<boolean> {
    const end = this.#now + ms;
    await this.#rest();
    while (!done()) {
      const event = this.#events.shift();
      if (event === undefined || event.at > end) return false;
      this.#now = event.at;
      event.run();
      await this.#rest();
    }
    return true;
  }

  /** A clock that stops when its owner is dead, and shows `skew` more than simulated time. */
  clock(skew: number, isAlive: () => boolean): Clock {
    return {
      now: () => this.#now + skew,
      monotonic: () => this.#now - this.#start,
      after: (ms, run) =>
        this.at(ms, () => {
          if (isAlive()) run();
        }),
    };
  }

  random(): Random {
    return {
      fraction: () => this.dice.fraction(),
      uuid: () => this.uuid(),
      secret: () => `secret-${(this.#ids += 1)}`,
    };
  }

  /** A UUIDv7 of simulated time. */
  uuid(): string {
    const time = this.#now.toString(16).padStart(12, "0");
    const count = (this.#ids += 1).toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count}`;
  }

  async #rest(): Promise<void> {
    do {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    } while (this.#realWork > 0);
  }
}

const isAfter = (event: Event | undefined, other: Event): boolean =>
  event !== undefined && event.at > other.at;
