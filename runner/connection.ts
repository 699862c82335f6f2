import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { context, propagation } from "@opentelemetry/api";

import { JobUpdateService } from "../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import { RunnerService } from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import type { Clock } from "../src/runtime/clock.ts";
import { createReportStreams, type ReportStreams } from "./report-streams.ts";

/** One server's internal listener over one HTTP/2 connection, which heals by itself. */
export type ServerConnection = {
  readonly url: string;
  readonly runner: Client<typeof RunnerService>;
  readonly reports: Pick<ReportStreams, "send">;
  /** Ends all calls under way. */
  close(): void;
};

/**
 * A connection that swallows packets is found out before the server calls us lost (15 s). Never
 * with `pingIdleConnection`: connect-node 2.2.0 then pings sessions that are destroyed, and throws
 * where nobody can catch it. The long poll keeps ours from being idle.
 */
const PING = { pingIntervalMs: 3_000, pingTimeoutMs: 3_000 };

const heard = (): void => {};

/**
 * connect-node 2.2.0 takes its listener off a destroyed session as soon as somebody calls again, which
 * is before Node emits the session's error: without another listener that ends the process. The
 * calls under way have been told by then.
 */
class Sessions extends Http2SessionManager {
  override async request(...call: Parameters<Http2SessionManager["request"]>) {
    const stream = await super.request(...call);
    stream.session?.off("error", heard).on("error", heard);
    return stream;
  }
}

const HEADERS = {
  set: (header: Headers, name: string, value: string) => {
    header.set(name, value);
  },
};

/** Who calls, and in which trace. */
const introduced =
  (token: string): Interceptor =>
  (next) =>
  async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    // A stream serves many traces: each of its requests says which.
    if (!request.stream) propagation.inject(context.active(), request.header, HEADERS);
    return await next(request);
  };

/** `url` is the http or https URL of an internal listener. Nothing is sent before the first call. */
export const connect = (
  url: string,
  token: string,
  clock: Clock,
  ping = PING,
): ServerConnection => {
  const sessions = new Sessions(url, ping);
  // The Connect protocol, because with small messages it does half as many again a second as gRPC.
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "2",
    sessionManager: sessions,
    interceptors: [introduced(token)],
    // Servers are near: compression costs more than it saves.
    acceptCompression: [],
  });
  const reports = createReportStreams(createClient(JobUpdateService, transport), clock);
  return {
    url,
    runner: createClient(RunnerService, transport),
    reports,
    close: () => {
      reports.close();
      sessions.abort();
    },
  };
};
