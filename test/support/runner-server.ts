import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import {
  type Ending,
  type JobUpdate,
  JobUpdateService,
  type UpdateJobsResponse_OutcomeSchema,
} from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import {
  type AssignmentSchema,
  type AttemptRef,
  RunnerService,
  type SyncRequest,
} from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";

type Outcome = MessageInitShape<typeof UpdateJobsResponse_OutcomeSchema>;

/** The internal services of a server, as small as a runner's tests need them, on a real h2c listener. */
export type RunnerServer = {
  url(): string;
  /** Puts an attempt into the queue; answers with its reference. */
  assign(work: Partial<MessageInitShape<typeof AssignmentSchema>>): AttemptRef;
  cancel(ref: AttemptRef): void;
  lose(ref: AttemptRef): void;
  putScript(hash: string, code: string, language?: ScriptLanguage): void;
  /** Everything applied for an attempt so far. */
  applied(ref: AttemptRef): readonly JobUpdate[];
  ending(ref: AttemptRef): Promise<Ending>;
  /** Resolves when `check` holds; it is asked again after every call. */
  until(check: () => boolean): Promise<void>;
  readonly syncs: readonly SyncRequest[];
  /** Resolves when a runner says in a sync that it holds so many attempts. */
  untilHeld(attempts: number): Promise<void>;
  readonly updateCalls: readonly (readonly JobUpdate[])[];
  /** How many streams of UpdateJobs have been opened. */
  updateStreams(): number;
  readonly scriptCalls: readonly string[];
  /** Replaces the answer to a report; one without an error is applied all the same. */
  refuse: (update: JobUpdate) => Outcome | undefined;
  /** Runs before a request of UpdateJobs is answered, after it was applied. */
  beforeAnswer: () => void | Promise<void>;
  serverUrls: string[];
  token: string;
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
};

export const reasoned = (reason: string, code: Code): Outcome => ({
  error: create(StatusSchema, {
    code,
    message: reason,
    details: [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "millrace" }))],
  }),
});

const LONG_POLL_MS = 5_000;
let lastJob = 0;

export const startRunnerServer = async (): Promise<RunnerServer> => {
  const queue: MessageInitShape<typeof AssignmentSchema>[] = [];
  const cancellations: AttemptRef[] = [];
  const lost: AttemptRef[] = [];
  const held = new Set<string>();
  const appliedUpdates = new Map<string, JobUpdate[]>();
  const scripts = new Map<string, { code: string; language: ScriptLanguage }>();
  const syncs: SyncRequest[] = [];
  const updateCalls: (readonly JobUpdate[])[] = [];
  const scriptCalls: string[] = [];
  let watchers: (() => void)[] = [];
  let wakePoll = (): void => {};
  let endCall = (): void => {};
  let streams = 0;
  let slots = 0;

  const changed = (): void => {
    wakePoll();
    const all = watchers;
    watchers = [];
    for (const look of all) look();
  };

  const guard = (header: Headers): void => {
    if (header.get("authorization") !== `Bearer ${server.token}`) {
      throw new ConnectError("who are you?", Code.Unauthenticated);
    }
  };

  const something = (): boolean =>
    (queue.length > 0 && held.size < slots) || cancellations.length > 0 || lost.length > 0;

  const runnerService: Partial<ServiceImpl<typeof RunnerService>> = {
    sync: async function* (request, { requestHeader, signal }) {
      guard(requestHeader);
      endCall();
      let over = request.immediate;
      endCall = () => {
        over = true;
      };
      const end = endCall;
      const ends = setTimeout(() => {
        end();
        wakePoll();
      }, LONG_POLL_MS);
      signal.addEventListener("abort", () => {
        clearTimeout(ends);
        wakePoll();
      });
      syncs.push(request);
      slots = request.slots;
      changed();
      for (;;) {
        const assignments = queue.splice(0, Math.max(0, slots - held.size));
        for (const { attempt } of assignments) held.add(attempt?.leaseToken ?? "");
        yield {
          assignments,
          cancellations: cancellations.splice(0),
          lost: lost.splice(0),
          serverUrls: server.serverUrls,
        };
        while (!over && !something()) {
          await new Promise<void>((resolve) => {
            wakePoll = resolve;
          });
          signal.throwIfAborted();
        }
        if (over) return;
      }
    },
    getScript: ({ organizationId, hash, type, typeVersion }, { requestHeader }) => {
      guard(requestHeader);
      scriptCalls.push(`${organizationId}/${hash}${type}`);
      // A type's script is put under the name of the type.
      const script = scripts.get(hash === "" ? type : hash);
      if (script === undefined) throw new ConnectError("no such script", Code.NotFound);
      return { ...script, hash: hash === "" ? `hash of ${type}` : hash, typeVersion };
    },
    listSteps: ({ attempt }) => ({
      steps: [...appliedUpdates.values()]
        .flat()
        .filter((update) => update.attempt?.jobId === attempt?.jobId)
        .flatMap(({ steps }) => steps),
    }),
  };

  const apply = (update: JobUpdate): Outcome => {
    const token = update.attempt?.leaseToken ?? "";
    const answer = server.refuse(update);
    if (answer?.error !== undefined) return answer;
    const before = appliedUpdates.get(token);
    if (before === undefined) return reasoned("LEASE_LOST", Code.Aborted);
    // A repeated sequence changes nothing.
    if (Number(update.seq) === before.length + 1) before.push(update);
    if (update.ending !== undefined) held.delete(token);
    return answer ?? {};
  };

  const updateService: Pick<ServiceImpl<typeof JobUpdateService>, "updateJobs"> = {
    updateJobs: async function* (requests, { requestHeader }) {
      guard(requestHeader);
      streams += 1;
      for await (const { updates } of requests) {
        updateCalls.push(updates);
        const outcomes = updates.map(apply);
        await server.beforeAnswer();
        changed();
        yield { outcomes };
      }
    },
  };

  const handler = connectNodeAdapter({
    routes: (router) => {
      router.service(RunnerService, runnerService);
      router.service(JobUpdateService, updateService);
    },
  });

  let listener: Http2Server | null = null;
  let port = 0;
  const sessions = new Set<ServerHttp2Session>();

  const back = async (): Promise<void> => {
    const next = createServer(handler);
    next.on("session", (session) => {
      sessions.add(session);
      session.on("close", () => sessions.delete(session));
    });
    await new Promise<void>((resolve) => next.listen(port, "127.0.0.1", resolve));
    port = (next.address() as AddressInfo).port;
    listener = next;
  };

  const away = async (): Promise<void> => {
    const ending = listener;
    listener = null;
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => {
      if (ending === null) resolve();
      else ending.close(() => resolve());
    });
  };

  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await new Promise<void>((resolve) => watchers.push(resolve));
  };

  const server: RunnerServer = {
    url: () => `http://127.0.0.1:${port}`,
    assign: (work) => {
      lastJob += 1;
      const attempt = {
        organizationId: "acme",
        jobId: `job-${lastJob}`,
        attempt: 1,
        leaseToken: `lease-${lastJob}`,
        ...work.attempt,
      } as AttemptRef;
      appliedUpdates.set(attempt.leaseToken, []);
      queue.push({
        capability: "script",
        inputJson: "null",
        attemptTimeout: durationFromMs(10_000),
        ...work,
        attempt,
      } as MessageInitShape<typeof AssignmentSchema>);
      changed();
      return attempt;
    },
    cancel: (ref) => {
      cancellations.push(ref);
      changed();
    },
    lose: (ref) => {
      held.delete(ref.leaseToken);
      lost.push(ref);
      changed();
    },
    putScript: (hash, code, language = ScriptLanguage.JAVASCRIPT) => {
      scripts.set(hash, { code, language });
    },
    applied: (ref) => appliedUpdates.get(ref.leaseToken) ?? [],
    ending: async (ref) => {
      const find = (): Ending | undefined =>
        appliedUpdates.get(ref.leaseToken)?.find((update) => update.ending !== undefined)?.ending;
      await until(() => find() !== undefined);
      return find() as Ending;
    },
    until,
    syncs,
    untilHeld: async (attempts) => {
      while (syncs.at(-1)?.attempts.length !== attempts) {
        // It is told with the next call, and the one under way may last.
        const news = new Promise<void>((resolve) => watchers.push(resolve));
        endCall();
        wakePoll();
        await news;
      }
    },
    updateCalls,
    updateStreams: () => streams,
    scriptCalls,
    refuse: () => undefined,
    beforeAnswer: () => {},
    serverUrls: [],
    token: "secret",
    away,
    back,
    close: away,
  };
  await back();
  return server;
};
