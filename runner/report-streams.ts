import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";

import type {
  JobUpdate,
  JobUpdateService,
  UpdateJobsRequestSchema,
  UpdateJobsResponse,
  UpdateJobsResponse_Outcome,
} from "../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import type { Clock } from "../src/runtime/clock.ts";

/**
 * Streams of reports to one server. Each has one request under way at a time, so there are as many
 * as calls at once; a request on a stream that is open costs a sixth of a call of its own.
 */
export type ReportStreams = {
  /** `traceparent`: of this request, or empty. @throws ConnectError: whether it was applied is not known */
  send(updates: JobUpdate[], traceparent: string): Promise<readonly UpdateJobsResponse_Outcome[]>;
  /** Ends those that are idle. */
  close(): void;
};

type Request = MessageInitShape<typeof UpdateJobsRequestSchema>;

type Stream = {
  readonly openedAt: number;
  send(request: Request): Promise<UpdateJobsResponse>;
  /** Says that no request follows. */
  end(): void;
};

const ANSWER_WITHIN_MS = 10_000;
/** A stream that nobody uses holds a connection that its server may want to close. */
const IDLE_MS = 5_000;
const OLDEST_MS = 60_000;

type StreamOptions = {
  readonly client: Client<typeof JobUpdateService>;
  readonly clock: Clock;
  /** It takes no more requests. */
  readonly gone: (stream: Stream) => void;
};

const openStream = ({ client, clock, gone }: StreamOptions): Stream => {
  const stop = new AbortController();
  let request: Request | null = null;
  let over = false;
  let wake = (): void => {};

  async function* requests(): AsyncGenerator<Request> {
    while (!over) {
      const next = request;
      request = null;
      if (next !== null) yield next;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  const answers = client.updateJobs(requests(), { signal: stop.signal })[Symbol.asyncIterator]();

  /** Asked for ahead: one that breaks while it is idle is noticed. */
  const nextAnswer = async (): Promise<UpdateJobsResponse> => {
    try {
      const next = await answers.next();
      if (next.done !== true) return next.value;
      throw new ConnectError("the server has ended the stream of reports", Code.Unavailable);
    } catch (caught) {
      end();
      throw caught;
    }
  };

  const ask = (): Promise<UpdateJobsResponse> => {
    const asked = nextAnswer();
    asked.catch(() => {});
    return asked;
  };

  const end = (): void => {
    over = true;
    wake();
    gone(stream);
  };

  const stream: Stream = {
    openedAt: clock.monotonic(),
    send: async (next) => {
      const cancel = clock.after(ANSWER_WITHIN_MS, () => {
        stop.abort(new ConnectError("reports were not answered in time", Code.DeadlineExceeded));
      });
      request = next;
      wake();
      try {
        return await answer;
      } finally {
        cancel();
        answer = ask();
      }
    },
    end,
  };
  let answer = ask();
  return stream;
};

export const createReportStreams = (
  client: Client<typeof JobUpdateService>,
  clock: Clock,
): ReportStreams => {
  /** With what takes back the end that awaits each. */
  const idle = new Map<Stream, () => void>();
  const broken = new WeakSet<Stream>();

  const gone = (stream: Stream): void => {
    broken.add(stream);
    idle.get(stream)?.();
    idle.delete(stream);
  };

  const take = (): Stream => {
    const [first] = idle;
    if (first === undefined) return openStream({ client, clock, gone });
    const [stream, stay] = first;
    stay();
    idle.delete(stream);
    return stream;
  };

  const rest = (stream: Stream): void => {
    if (broken.has(stream)) return;
    if (clock.monotonic() - stream.openedAt > OLDEST_MS) stream.end();
    else idle.set(stream, clock.after(IDLE_MS, stream.end));
  };

  return {
    send: async (updates, traceparent) => {
      const stream = take();
      const { outcomes } = await stream.send({ updates, traceparent });
      rest(stream);
      return outcomes;
    },
    close: () => {
      for (const stream of [...idle.keys()]) stream.end();
    },
  };
};
