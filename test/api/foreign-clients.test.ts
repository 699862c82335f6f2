import { join } from "node:path";

import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { outputOf, root } from "../support/command.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Clients that share no code with the server. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

const submission = {
  spec: { script: { source: "export default () => 42" }, labels: { from: "afar" } },
};

describe("grpc-js", () => {
  type Call = grpc.Client &
    Record<string, (...args: readonly unknown[]) => grpc.ClientReadableStream<Message>>;
  type Message = {
    readonly job: { readonly id: string; readonly state: string } | null;
    readonly output: { readonly text: string }[];
  };

  const connect = (): Call => {
    const definition = loadSync(join(root, "proto/millrace/v1/job_service.proto"), {
      includeDirs: [join(root, "proto"), join(root, "third_party/proto")],
      enums: String,
      defaults: true,
      longs: Number,
    });
    const { millrace } = grpc.loadPackageDefinition(definition) as unknown as {
      millrace: {
        v1: { JobService: new (address: string, credentials: grpc.ChannelCredentials) => Call };
      };
    };
    return new millrace.v1.JobService(
      new URL(server.publicUrl).host,
      grpc.credentials.createInsecure(),
    );
  };

  const withToken = (): grpc.Metadata => {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${server.admin.token}`);
    return metadata;
  };

  const unary = async (
    client: Call,
    method: string,
    request: object,
    metadata = withToken(),
  ): Promise<Message> =>
    await new Promise<Message>((resolve, reject) => {
      client[method]?.(request, metadata, (error: Error | null, answer: Message) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });

  it("submits a job and watches it to its end", async () => {
    const client = connect();
    const { job } = await unary(client, "SubmitJob", submission);
    const stream = client["WatchJob"]?.({ jobId: job?.id }, withToken());
    if (stream === undefined) throw new Error("no stream");
    const seen: Message[] = [];
    const ended = new Promise<grpc.StatusObject>((resolve, reject) => {
      stream.on("data", (message: Message) => seen.push(message));
      stream.on("status", resolve);
      stream.on("error", reject);
    });
    const runner = createHandRunner(server);
    const assignment = await runner.take();
    await runner.print(assignment, "hello", "world");
    await runner.succeed(assignment, "42");
    expect((await ended).code).toBe(grpc.status.OK);
    expect(seen.flatMap(({ output }) => output.map(({ text }) => text))).toEqual([
      "hello",
      "world",
    ]);
    expect(seen.findLast((message) => message.job !== null)?.job?.state).toBe(
      "JOB_STATE_SUCCEEDED",
    );
    client.close();
  });

  it("gets the status and the details of a refusal", async () => {
    const client = connect();
    const refusal = unary(client, "GetJob", { jobId: "nope" });
    await expect(refusal).rejects.toMatchObject({
      code: grpc.status.NOT_FOUND,
      details: "There is no job nope.",
    });
    const error: unknown = await refusal.then(null, (caught: unknown) => caught);
    expect(
      String((error as grpc.ServiceError).metadata.get("grpc-status-details-bin")[0]),
    ).toContain("JOB_NOT_FOUND");
    const stranger = unary(client, "ListJobs", {}, new grpc.Metadata());
    await expect(stranger).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    client.close();
  });
});

describe.each(["grpc", "grpcweb", "connect"])("buf curl over %s", (protocol) => {
  const curl = async (method: string, data: object, ...options: string[]): Promise<unknown> => {
    const http2 = protocol === "grpc" ? ["--http2-prior-knowledge"] : [];
    const token = ["-H", `authorization: Bearer ${server.admin.token}`];
    const url = `${server.publicUrl}/${method}`;
    const all = [
      "--protocol",
      protocol,
      ...http2,
      ...token,
      "-d",
      JSON.stringify(data),
      ...options,
      url,
    ];
    return JSON.parse(await outputOf("buf", "curl", ...all));
  };

  it("submits with what reflection tells", async () => {
    const reflection = ["--reflect", "--http2-prior-knowledge"];
    const answer = await curl("millrace.v1.JobService/SubmitJob", submission, ...reflection);
    expect(answer).toMatchObject({ created: true, job: { labels: { from: "afar" } } });
  });

  it("lists with the contract of the repository", async () => {
    const answer = await curl(
      "millrace.v1.JobService/ListJobs",
      { includeTotal: true },
      "--schema",
      ".",
    );
    expect(answer).toMatchObject({ jobs: expect.any(Array), total: expect.any(String) });
  });

  it("asks health without knowing anything else", async () => {
    const answer = await curl("grpc.health.v1.Health/Check", {}, "--schema", ".");
    expect(answer).toEqual({ status: "SERVING" });
  });
});

describe("buf curl", () => {
  it.each(["grpc-v1", "grpc-v1alpha"])("lists the services by reflection %s", async (version) => {
    const options = ["--reflect-protocol", version, "--http2-prior-knowledge", "--list-services"];
    const listed = await outputOf("buf", "curl", ...options, server.publicUrl);
    expect(listed.trim().split("\n").toSorted()).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "millrace.v1.HookService",
      "millrace.v1.JobService",
      "millrace.v1.JobTypeService",
      "millrace.v1.MetricsService",
      "millrace.v1.OrganizationService",
      "millrace.v1.ScheduleService",
      "millrace.v1.TokenService",
      "millrace.v1.UserService",
    ]);
  });
});

describe("plain curl with JSON", () => {
  const post = async (method: string, body: object, ...more: string[]): Promise<string> => {
    const json = ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
    return await outputOf(
      "curl",
      "-sS",
      ...json,
      ...more,
      `${server.publicUrl}/millrace.v1.JobService/${method}`,
    );
  };
  const token = () => ["-H", `authorization: Bearer ${server.admin.token}`];

  it("submits a job, and reads it with GET", async () => {
    const { job } = JSON.parse(await post("SubmitJob", submission, ...token())) as {
      job: { id: string };
    };
    const query = new URLSearchParams({
      encoding: "json",
      message: JSON.stringify({ jobId: job.id }),
    });
    const url = `${server.publicUrl}/millrace.v1.JobService/GetJob?${query.toString()}`;
    expect(JSON.parse(await outputOf("curl", "-sS", ...token(), url))).toMatchObject({
      job: { id: job.id },
    });
  });

  it("gets a refusal as JSON with the reason", async () => {
    expect(JSON.parse(await post("GetJob", { jobId: "nope" }, ...token()))).toMatchObject({
      code: "not_found",
      details: [
        { type: "google.rpc.ErrorInfo", debug: { reason: "JOB_NOT_FOUND", domain: "millrace" } },
      ],
    });
    expect(JSON.parse(await post("ListJobs", {}))).toMatchObject({ code: "unauthenticated" });
  });

  it("works over HTTP/2 on the same port", async () => {
    const answer = await post(
      "ListJobs",
      {},
      "--http2-prior-knowledge",
      "-o",
      "/dev/null",
      "-w",
      "%{http_version} %{http_code}",
      ...token(),
    );
    expect(answer).toBe("2 200");
  });

  it("finds the probes, and an answer for people", async () => {
    const status = async (path: string) =>
      await outputOf(
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        `${server.publicUrl}${path}`,
      );
    expect(await status("/livez")).toBe("200");
    expect(await status("/readyz")).toBe("200");
    expect(await outputOf("curl", "-sS", server.publicUrl)).toContain("This is Millrace");
    expect(await status("/elsewhere")).toBe("404");
  });
});
