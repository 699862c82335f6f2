import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type HandlerContext,
} from "@connectrpc/connect";
import { expect, test } from "vitest";

import { follow } from "../../src/cli/job/follow.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import {
  JobService,
  type WatchJobRequest,
  type WatchJobResponse,
  WatchJobResponseSchema,
} from "../../src/gen/millrace/v1/job_service_pb.ts";
import type { Clock } from "../../src/runtime/clock.ts";

type Watch = (request: WatchJobRequest, context: HandlerContext) => AsyncIterable<WatchJobResponse>;

const message = (resumeToken: string, state: JobState, ...seqs: readonly number[]) =>
  create(WatchJobResponseSchema, {
    job: { id: "j", state },
    output: seqs.map((seq) => ({ seq: BigInt(seq), text: `row ${seq}` })),
    resumeToken,
  });

const refusal = (reason: string, code: Code): ConnectError =>
  new ConnectError(reason, code, undefined, [
    { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: "millrace" }) },
  ]);

/** Pauses are over at once; the watchdog only barks when it is told to. */
const createClock = (): Clock & { bark(): void } => {
  let watchdog = (): void => {};
  return {
    now: () => 0,
    monotonic: () => 0,
    after: (ms, run) => {
      if (ms < 10_000) queueMicrotask(run);
      else watchdog = run;
      return () => {};
    },
    bark: () => {
      watchdog();
    },
  };
};

/** Follows job j at a server that answers each stream with the next of these. */
const followed = async (clock: Clock, streams: readonly Watch[]) => {
  const requests: WatchJobRequest[] = [];
  const breaks: string[] = [];
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: (request, context) => {
        const stream = streams[requests.push(request) - 1];
        if (stream === undefined) throw new ConnectError("no more streams", Code.NotFound);
        return stream(request, context);
      },
    });
  });
  const changes = follow({
    jobs: createClient(JobService, transport),
    jobId: "j",
    clock,
    signal: new AbortController().signal,
    onBreak: (error) => breaks.push(error.rawMessage),
  });
  const rows: string[] = [];
  let change = await changes.next();
  for (; change.done !== true; change = await changes.next()) {
    rows.push(...change.value.output.map((row) => row.text));
  }
  return { job: change.value, rows, breaks, tokens: requests.map((each) => each.resumeToken) };
};

test("a stream that ends with the job is followed once", async () => {
  const answer = await followed(createClock(), [
    async function* () {
      yield message("t1", JobState.RUNNING, 0);
      yield message("t2", JobState.SUCCEEDED, 1);
    },
  ]);
  expect(answer).toMatchObject({ rows: ["row 0", "row 1"], tokens: [""], breaks: [] });
  expect(answer.job.state).toBe(JobState.SUCCEEDED);
});

test("a broken stream is taken up with its newest token, and no row comes twice", async () => {
  const answer = await followed(createClock(), [
    async function* () {
      yield message("t1", JobState.RUNNING, 0, 1);
      throw new ConnectError("connection reset", Code.Aborted);
    },
    async function* () {
      yield message("t2", JobState.RUNNING, 1, 2);
      throw refusal("SHUTTING_DOWN", Code.Unavailable);
    },
    async function* () {
      yield message("t3", JobState.FAILED, 3);
    },
  ]);
  expect(answer.tokens).toEqual(["", "t1", "t2"]);
  expect(answer.rows).toEqual(["row 0", "row 1", "row 2", "row 3"]);
  expect(answer.breaks).toEqual(["connection reset", "SHUTTING_DOWN"]);
});

test("a stream that ends before the job is a broken one", async () => {
  const answer = await followed(createClock(), [
    async function* () {
      yield message("t1", JobState.RUNNING);
    },
    async function* () {
      yield message("t2", JobState.CANCELLED);
    },
  ]);
  expect(answer.tokens).toEqual(["", "t1"]);
});

test("a token that is too old leads to a new snapshot, without rows that were shown", async () => {
  const answer = await followed(createClock(), [
    async function* () {
      yield message("old", JobState.RUNNING, 0);
      throw new ConnectError("gone", Code.Unavailable);
    },
    // eslint-disable-next-line require-yield
    async function* () {
      throw refusal("RESUME_TOKEN_EXPIRED", Code.OutOfRange);
    },
    async function* () {
      yield message("new", JobState.SUCCEEDED, 0, 1);
    },
  ]);
  expect(answer.tokens).toEqual(["", "old", ""]);
  expect(answer.rows).toEqual(["row 0", "row 1"]);
});

test("a stream that falls silent is given up and taken up again", async () => {
  const clock = createClock();
  const answer = await followed(clock, [
    async function* (_request, context) {
      yield message("t1", JobState.RUNNING);
      queueMicrotask(() => {
        clock.bark();
      });
      await new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => {
          reject(new ConnectError("cancelled", Code.Canceled));
        });
      });
    },
    async function* () {
      yield message("t2", JobState.SUCCEEDED);
    },
  ]);
  expect(answer.tokens).toEqual(["", "t1"]);
});

test.each([
  ["at the first call", []],
  ["after a break", [message("t1", JobState.RUNNING)]],
])("a refusal that will not pass is told at once, %s", async (_when, before) => {
  const refuse: Watch = async function* () {
    yield* before;
    throw refusal("JOB_NOT_FOUND", Code.NotFound);
  };
  await expect(followed(createClock(), [refuse])).rejects.toThrow("JOB_NOT_FOUND");
});

test("a server that cannot be reached at the first call is not waited for", async () => {
  const refuse: Watch = () => {
    throw new ConnectError("refused", Code.Unavailable);
  };
  await expect(followed(createClock(), [refuse])).rejects.toThrow("refused");
});
