import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import {
  Health,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatusSchema,
} from "../gen/grpc/health/v1/health_pb.ts";
import { apiFailure } from "./api-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { addExamples, addFormatOption, type FormatOptions } from "./options.ts";
import { parseDurationMs } from "./parse.ts";
import type { Register } from "./program.ts";
import { clientConfig, type ConnectionOptions, findUrl } from "./settings.ts";
import { printLine } from "./shell.ts";

type Options = ConnectionOptions &
  FormatOptions & { readonly service: string; readonly timeout: number };

const ask = async (url: string, options: Options, signal: AbortSignal) => {
  const sessionManager = new Http2SessionManager(url);
  const client = createClient(Health, createGrpcTransport({ baseUrl: url, sessionManager }));
  try {
    const request = { service: options.service };
    return (await client.check(request, { signal, timeoutMs: options.timeout })).status;
  } catch (caught) {
    const error = ConnectError.from(caught);
    // No answer in time is no server, as far as who checks is concerned.
    const late = error.code === Code.DeadlineExceeded;
    throw apiFailure(late ? new ConnectError("no answer in time", Code.Unavailable) : error, url);
  } finally {
    sessionManager.abort();
  }
};

export const registerHealthcheck: Register = (parent, shell, act) => {
  const command = parent
    .command("healthcheck")
    .description("Asks a server whether it serves (grpc.health.v1). Needs no token.")
    .option("--url <url>", "the server (MILLRACE_URL; else that of the data directory)")
    .option("--data-dir <folder>", "where a local server keeps its data (MILLRACE_DATA_DIR)")
    .option("--service <name>", "one service, such as millrace.v1.JobService", "")
    .option("--timeout <duration>", "wait for an answer at most so long", parseDurationMs, 5_000)
    .action(
      act(async (options: Options) => {
        const url = await findUrl(clientConfig(options, shell.environment));
        const status = await ask(url, options, shell.signal);
        const name =
          HealthCheckResponse_ServingStatusSchema.value[status]?.localName ?? String(status);
        printLine(
          shell.stdout,
          options.output === "json" ? JSON.stringify({ url, status: name }) : `${url} is ${name}`,
        );
        return status === HealthCheckResponse_ServingStatus.SERVING ? EXIT.ok : EXIT.unreachable;
      }),
    );
  addExamples(
    addFormatOption(command),
    "millrace healthcheck",
    "millrace healthcheck --url http://127.0.0.1:7410 --timeout 1s",
  );
};
