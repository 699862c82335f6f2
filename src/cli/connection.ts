import type { DescService } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { JobService } from "../gen/millrace/v1/job_service_pb.ts";
import { apiFailure } from "./api-failure.ts";
import {
  clientConfig,
  type ConnectionOptions,
  type ConnectionSettings,
  findConnection,
  findInternalConnection,
  type InternalOptions,
  type Speaker,
} from "./settings.ts";
import type { Shell } from "./shell.ts";

export type Connection = {
  readonly url: string;
  readonly jobs: Client<typeof JobService>;
  /** Any other service of the same server. */
  clientOf<S extends DescService>(service: S): Client<S>;
};

const bearer =
  (token: string): Interceptor =>
  (next) =>
  async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return await next(request);
  };

/**
 * Runs `work` with a connection to the server and closes it afterwards, so that the process can end.
 * @param speaker whose token of the data directory is taken where none is given
 * @throws CliFailure for every error of a call
 */
export const withConnection = async <T>(
  options: ConnectionOptions,
  shell: Shell,
  work: (connection: Connection) => Promise<T>,
  speaker: Speaker = "user",
): Promise<T> =>
  await connectTo(
    await findConnection(clientConfig(options, shell.environment), speaker),
    shell,
    work,
  );

/** The same with the internal listener of the server. */
export const withInternalConnection = async <T>(
  options: InternalOptions,
  shell: Shell,
  work: (connection: Connection) => Promise<T>,
): Promise<T> =>
  await connectTo(await findInternalConnection(options, shell.environment), shell, work);

const connectTo = async <T>(
  { url, token }: ConnectionSettings,
  shell: Shell,
  work: (connection: Connection) => Promise<T>,
): Promise<T> => {
  const sessionManager = new Http2SessionManager(url);
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager,
    interceptors: [bearer(token)],
  });
  try {
    return await work({
      url,
      jobs: createClient(JobService, transport),
      clientOf: (service) => createClient(service, transport),
    });
  } catch (caught) {
    if (
      caught instanceof ConnectError &&
      !(caught.code === Code.Canceled && shell.signal.aborted)
    ) {
      throw apiFailure(caught, url);
    }
    throw caught;
  } finally {
    sessionManager.abort();
  }
};
