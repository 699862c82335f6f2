import { tmpdir } from "node:os";
import { join } from "node:path";

import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";

import type { Isolation } from "../../runner/sandbox/choose.ts";
import { composeRunner } from "../../runner/main.ts";
import { AttemptOutcome, JobState, ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import { eventually } from "../support/eventually.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import type { Attack, Seen } from "./attack.ts";
import { LIMITS } from "./limits.ts";
import { type Neighbour, startNeighbour } from "./neighbour.ts";
import { jsonValue, look, nameOf } from "./seen.ts";
import { startSurroundings } from "./surroundings.ts";

/** One of them is the neighbour's. */
const SLOTS = 5;
const SPARES = 1;
/** How long each step of the neighbour's jobs takes: where each costs the start of a child, they are few. */
const TICK_MS: Readonly<Record<Isolation, number>> = { shared: 50, tenant: 50, process: 150 };
/** Long enough on a machine that is busy with other things. */
const PATIENT_MS = 25_000;

/** A server, a runner of it in this process, an organization that attacks, and a neighbour. */
export type World = {
  readonly server: TestServer;
  readonly neighbour: Neighbour;
  /** Runs it as a job of the attacking organization, and checks the outcome and that nothing else was harmed. */
  suffer(attack: Attack): Promise<void>;
  /** Resolves when there are as many children as there should be, and no others. */
  poolIsWhole(): Promise<void>;
  stop(): Promise<void>;
};

export const startWorld = async (isolation: Isolation): Promise<World> => {
  const server = await startTestServer();
  const other = await server.addUser(await server.addOrganization(), ["admin"]);
  const surroundings = await startSurroundings(other.organizationId);
  const { settings, network } = surroundings;
  const runner = composeRunner({
    network,
    config: {
      internalUrl: server.internalUrl,
      token: server.runnerToken,
      slots: SLOTS,
      spares: SPARES,
      drainMs: 10_000,
      limits: LIMITS,
      isolation,
      settings,
      commands: [],
      metricsListen: null,
      displayName: "attacks",
    },
  });
  await runner.start();
  const jobs = server.jobs;
  const neighbour = startNeighbour(server.jobsOf(other), TICK_MS[isolation]);

  /** What no text that a user sees may hold. */
  const hidden = [
    join(import.meta.dirname, "../.."),
    join(tmpdir(), "millrace"),
    "node_modules",
    "file://",
    process.execPath,
    server.runnerToken,
    server.operatorToken,
    server.admin.token,
    other.token,
    other.organizationId,
  ];

  const looksInnocent = (seen: Seen): void => {
    const text = JSON.stringify(seen);
    for (const one of [...hidden, ...surroundings.hidden()])
      expect(text.includes(one), `it shows ${one}: ${text}`).toBe(false);
  };

  const submission = ({ code, language, input, timeoutMs = PATIENT_MS }: Attack) => ({
    spec: {
      work: {
        case: "script" as const,
        value: {
          source: code,
          language:
            language === "TYPESCRIPT" ? ScriptLanguage.TYPESCRIPT : ScriptLanguage.JAVASCRIPT,
        },
      },
      input: jsonValue(input ?? surroundings.ports),
      attemptTimeout: durationFromMs(timeoutMs),
      retryPolicy: { maxRetries: 0 },
    },
  });

  const cancel = async (jobId: string, when: Attack["cancel"]): Promise<void> => {
    if (when !== "at once") {
      for await (const { output } of jobs.watchJob({ jobId })) if (output.length > 0) break;
    }
    const calls = Array.from({ length: when === "again and again" ? 20 : 1 }, async () => {
      try {
        await jobs.cancelJob({ jobId });
      } catch (caught) {
        // It had ended before.
        expect(ConnectError.from(caught).code).toBe(Code.FailedPrecondition);
      }
    });
    await Promise.all(calls);
  };

  const run = async (attack: Attack) => {
    const { job: submitted } = await jobs.submitJob(submission(attack));
    const jobId = submitted?.id ?? "";
    if (attack.cancel !== undefined) await cancel(jobId, attack.cancel);
    for (;;) {
      const { job } = await jobs.waitJob({ jobId, maxWait: { seconds: 30n } });
      if (job?.endTime !== undefined) return job;
    }
  };

  const ended = async (attack: Attack): Promise<void> => {
    const { outcome } = attack;
    const job = await run(attack);
    const seen = await look(jobs, job);
    looksInnocent(seen);
    const state = nameOf(JobState, job.state);
    switch (outcome.kind) {
      case "value":
        expect({ state, code: seen.code, message: seen.message, result: seen.result }).toEqual({
          state: "SUCCEEDED",
          code: "",
          message: "",
          result: outcome.value,
        });
        break;
      case "fails":
        expect(state, JSON.stringify(seen).slice(0, 1_000)).toBe("FAILED");
        expect(outcome.codes, seen.message).toContain(seen.code);
        if (outcome.message !== undefined) expect(seen.message).toMatch(outcome.message);
        break;
      case "either":
        if (state === "SUCCEEDED") expect(seen.result).toEqual(outcome.value);
        else expect(outcome.codes, seen.message).toContain(seen.code);
        break;
      case "cancelled":
        if (state === "SUCCEEDED" && "or" in outcome) expect(seen.result).toEqual(outcome.or);
        else if (state === "FAILED" && outcome.computes === true)
          expect(seen.code).toBe("timeout.cpu");
        else expect(state, seen.message).toBe("CANCELLED");
        break;
      case "refused":
        throw new Error("it was taken in");
    }
    attack.also?.(seen, surroundings.heard);
    const { attempts } = await jobs.listJobAttempts({ jobId: job.id });
    const ends = attempts.map((one) => nameOf(AttemptOutcome, one.outcome));
    if (attack.cancel !== "at once" || ends.length > 0) expect(ends).toEqual([state]);
  };

  const refused = async (attack: Attack, message: RegExp): Promise<void> => {
    try {
      await jobs.submitJob(submission(attack));
    } catch (caught) {
      const { code, rawMessage } = ConnectError.from(caught);
      expect({ code, rawMessage }).toEqual({
        code: Code.InvalidArgument,
        rawMessage: expect.stringMatching(message) as string,
      });
      return;
    }
    throw new Error("it was taken in");
  };

  const poolIsWhole = async (): Promise<void> => {
    await eventually(() => {
      const alive = aliveChildren().length;
      expect(alive).toBeGreaterThan(0);
      expect(alive).toBeLessThanOrEqual(SLOTS + SPARES);
    });
  };

  return {
    server,
    neighbour,
    poolIsWhole,
    suffer: async (attack) => {
      const beside = neighbour.unharmed();
      const { outcome } = attack;
      if (outcome.kind === "refused") await refused(attack, outcome.message);
      else await ended(attack);
      await beside;
      surroundings.untouched();
      await poolIsWhole();
    },
    stop: async () => {
      await neighbour.stop();
      await runner.stop();
      await server.stop();
      await surroundings.close();
      expect(aliveChildren()).toEqual([]);
    },
  };
};
