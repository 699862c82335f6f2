import type { Client } from "@connectrpc/connect";

import type { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import { percentile } from "./figures.ts";
import { runnerOf } from "./processing.ts";
import type { Service } from "./service.ts";
import { handlerJob } from "./work.ts";

/** How long jobs of others keep their slot. */
const WORK_MS = 100;

export const HEAVY = handlerJob("heavy");
const LIGHT = handlerJob("light");

/** Milliseconds from the call of a submission to the start of its attempt. */
export type Waits = readonly number[];

export type Prober = {
  /** One job at a time; the next when the one before has started, and a pause is over. */
  measure(jobs: Client<typeof JobService>, count: number, pauseMs: number): Promise<Waits>;
};

/** A runner in this process, which notes when the jobs of the light tenant begin. */
export const withProber = async (
  service: Service,
  slots: number,
  work: (prober: Prober) => Promise<void>,
): Promise<void> => {
  let begun: () => void = () => {};
  const runner = runnerOf(service, slots, {
    light: {
      execute: () => {
        begun();
        return null;
      },
    },
    heavy: {
      execute: async () => {
        await new Promise((resolve) => setTimeout(resolve, WORK_MS));
        return null;
      },
    },
  });
  await runner.start();
  try {
    await work({
      measure: async (jobs, count, pauseMs) => {
        const waits: number[] = [];
        for (let index = 0; index < count; index += 1) {
          const started = new Promise<void>((resolve) => {
            begun = resolve;
          });
          const asked = performance.now();
          await jobs.submitJob({ spec: LIGHT });
          await started;
          waits.push(performance.now() - asked);
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
        return waits;
      },
    });
  } finally {
    await runner.stop();
  }
};

export const textOf = (waits: Waits): string =>
  `p50 ${percentile(waits, 0.5).toFixed(1)} ms, p99 ${percentile(waits, 0.99).toFixed(1)} ms`;
