import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createListener, type Listener } from "../../src/api/listener.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const dial = (url: string): Socket => connect(Number(new URL(url).port), "127.0.0.1");

/** Everything that is said until the other side hangs up. */
const untilClosed = async (socket: Socket): Promise<string> => {
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  socket.on("error", () => socket.destroy());
  await once(socket, "close");
  return text;
};

describe("a listener that has not been told what to serve", () => {
  let listener: Listener;
  beforeAll(async () => {
    listener = createListener({
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      log: silentLog,
      drainMs: 0,
    });
    await listener.start();
  });
  afterAll(async () => {
    await listener.stop();
  });

  it("answers 503, and says when to come again", async () => {
    const answer = await fetch(`http://127.0.0.1:${listener.address().port}/`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("stops twice as well as once", async () => {
    const other = createListener({
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      log: silentLog,
      drainMs: 0,
    });
    await other.start();
    await Promise.all([other.stop(), other.stop()]);
  });

  it("that cannot have its port says so at the start", async () => {
    const { port } = listener.address();
    const other = createListener({
      host: "127.0.0.1",
      port,
      clock: systemClock,
      log: silentLog,
      drainMs: 0,
    });
    await expect(other.start()).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("a client that takes neither its answer nor the hint to go", () => {
  it("cannot keep a listener from stopping", async () => {
    const listener = createListener({
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      log: silentLog,
      drainMs: 50,
    });
    await listener.start();
    listener.serve((_request, response) => {
      response.end("never read");
    });
    const session = connectHttp2(`http://127.0.0.1:${listener.address().port}`);
    session.on("error", () => session.destroy());
    const request = session.request();
    request.on("error", () => session.destroy());
    await once(request, "response");
    await listener.stop();
    session.destroy();
  });
});

describe("a client that says nothing, or not enough", () => {
  const patience = { firstBytesMs: 50, headersMs: 50, settingsMs: 50 };
  let listener: Listener;
  let url: string;
  beforeAll(async () => {
    listener = createListener({
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      log: silentLog,
      drainMs: 0,
      patience,
    });
    await listener.start();
    url = `http://127.0.0.1:${listener.address().port}`;
  });
  afterAll(async () => {
    await listener.stop();
  });

  it.each([
    ["nothing", ""],
    ["the beginning of a preface", "PR"],
    ["half of its headers", "GET / HTTP/1.1\r\nhost: a\r\nx: "],
    ["a preface and no settings", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("is hung up on: %s", async (_what, text) => {
    const socket = dial(url);
    socket.write(text);
    await untilClosed(socket);
    expect(socket.destroyed).toBe(true);
  });
});

describe("a server", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  const path = "/millrace.v1.JobService/ListJobs";

  it.each([
    ["no host", `GET ${path} HTTP/1.0\r\n\r\n`],
    ["a host that is none", `GET ${path} HTTP/1.1\r\nhost: [\r\nconnection: close\r\n\r\n`],
    ["a target that is none", `GET //[${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`],
    ["no HTTP", "\x16\x03\x01\x02\x00\x01"],
  ])("survives a request with %s", async (_what, text) => {
    const socket = dial(server.publicUrl);
    socket.end(text);
    expect(await untilClosed(socket)).toMatch(/^(HTTP\/1.1 (400|404|415)|$)/);
    expect((await fetch(`${server.publicUrl}/livez`)).status).toBe(200);
  });

  it("survives an http2 client that breaks the protocol", async () => {
    const socket = dial(server.publicUrl);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.alloc(64, 255));
    await untilClosed(socket);
    expect((await fetch(`${server.publicUrl}/livez`)).status).toBe(200);
  });
});

describe("a server that stops", () => {
  it("ends streams and long polls of runners with SHUTTING_DOWN, answers waits, and says goodbye", async () => {
    const server = await startTestServer();
    const spec = { work: { case: "type" as const, value: "idle" } };
    const { job } = await server.jobs.submitJob({ spec });
    const jobId = job?.id ?? "";
    const began = Promise.withResolvers<void>();
    const watched = streamRefusalOf(
      (async function* () {
        for await (const message of server.jobs.watchJob({ jobId })) {
          began.resolve();
          yield message;
        }
      })(),
    );
    await began.promise;
    const waited = server.jobs.waitJob({ jobId });
    const polled = streamRefusalOf(
      server.runners.sync({ runnerId: jobId, capabilities: ["script"], slots: 1 }),
    );
    const session = connectHttp2(server.publicUrl);
    const goodbye = once(session, "goaway");
    await once(session, "connect");
    // A call after the long polls on the same sessions: they have arrived by then.
    await server.jobs.getJob({ jobId });
    await refusalOf(server.runners.getScript({}));
    const stopped = server.stop();
    expect(await watched).toMatchObject({
      code: "Unavailable",
      reason: "SHUTTING_DOWN",
      retries: true,
    });
    expect((await waited).job?.id).toBe(jobId);
    expect(await polled).toMatchObject({ reason: "SHUTTING_DOWN" });
    await goodbye;
    await stopped;
    await expect(fetch(`${server.publicUrl}/livez`)).rejects.toThrow();
  });
});
