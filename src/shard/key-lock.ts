import type { Capability } from "../jobs/ids.ts";
import type { ActiveJob } from "./active-job.ts";
import { goesBefore, ReadyQueue } from "./ready-queue.ts";

/** Where QUEUED jobs wait for a slot. */
export type Lanes = {
  /** Lets a job wait in its lane. */
  line(job: ActiveJob): void;
  /** Takes it out of its lane. */
  unline(job: ActiveJob): void;
};

/** The jobs of one key that would wait in the same lane. */
type KeyLine = {
  readonly capability: Capability;
  readonly type: string;
  /** The first of them, which waits in the lane for all: null exactly while the key is taken. */
  candidate: ActiveJob | null;
  /** The others. Null: there never were any. */
  rest: ReadyQueue | null;
};

/**
 * One concurrency key of an organization: of the jobs that carry it, one runs. Of those that wait,
 * only the first stands in the lane; so starting or ending one of them never walks over the others,
 * however many they are.
 */
export class KeyLock {
  /** Active jobs with this key, in whatever state. */
  members = 0;
  #holder: ActiveJob | null = null;
  #lines: KeyLine[] = [];

  /** The job that runs; null if none does. */
  get holder(): ActiveJob | null {
    return this.#holder;
  }

  /** A QUEUED job comes to wait. */
  enter(job: ActiveJob, lanes: Lanes): void {
    const line = this.#lineOf(job);
    const { candidate } = line;
    if (this.#holder === null && (candidate === null || goesBefore(job, candidate))) {
      line.candidate = job;
      lanes.line(job);
      if (candidate === null) return;
      lanes.unline(candidate);
      (line.rest ??= new ReadyQueue()).push(candidate);
    } else {
      (line.rest ??= new ReadyQueue()).push(job);
    }
  }

  /** A QUEUED job waits no longer: it starts, or has ended. */
  leave(job: ActiveJob, lanes: Lanes): void {
    const line = this.#lineOf(job);
    if (line.candidate === job) {
      lanes.unline(job);
      line.candidate = null;
    } else {
      line.rest?.remove(job);
    }
    if (this.#holder === null) this.#nominate(line, lanes);
    this.#dropEmpty();
  }

  /** A job that no longer waits starts: the others stand back. */
  take(job: ActiveJob, lanes: Lanes): void {
    this.#holder = job;
    for (const line of this.#lines) {
      if (line.candidate === null) continue;
      lanes.unline(line.candidate);
      (line.rest ??= new ReadyQueue()).push(line.candidate);
      line.candidate = null;
    }
  }

  /** The running job has ended, or goes back to wait. */
  release(job: ActiveJob, lanes: Lanes): void {
    if (this.#holder !== job) return;
    this.#holder = null;
    for (const line of this.#lines) this.#nominate(line, lanes);
    this.#dropEmpty();
  }

  #nominate(line: KeyLine, lanes: Lanes): void {
    if (line.candidate !== null) return;
    const next = line.rest?.shift();
    if (next === undefined) return;
    line.candidate = next;
    lanes.line(next);
  }

  #lineOf({ row: { capability, type } }: ActiveJob): KeyLine {
    for (const line of this.#lines) {
      if (line.capability === capability && line.type === type) return line;
    }
    const line: KeyLine = { capability, type, candidate: null, rest: null };
    this.#lines.push(line);
    return line;
  }

  #dropEmpty(): void {
    const { length } = this.#lines;
    const empty = (line: KeyLine): boolean =>
      line.candidate === null && (line.rest?.size ?? 0) === 0;
    if (length > 0 && this.#lines.some(empty)) {
      this.#lines = this.#lines.filter((line) => !empty(line));
    }
  }
}
