import type { RequestListener, ServerResponse } from "node:http";

import type { Readiness } from "./readiness.ts";

type Page = (response: ServerResponse) => void | Promise<void>;

const text = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
  });
  response.end(`${body}\n`);
};

const HELLO = `This is Millrace, a durable job service.

It speaks gRPC, gRPC-Web and Connect on this port, so that curl with JSON works:

  curl -H 'authorization: Bearer <token>' -H 'content-type: application/json' \\
       -d '{"spec": {"script": {"source": "export default () => 42"}}}' \\
       http://<this address>/millrace.v1.JobService/SubmitJob

The contract is served by reflection (buf curl, grpcurl). Health: grpc.health.v1, /livez, /readyz.`;

/** What is not an RPC: probes, and an answer for people. */
export const plainRoutes = (readiness: Readiness, greeting: boolean): RequestListener => {
  const pages = new Map<string, Page>([
    ["/livez", (response) => text(response, 200, "ok")],
    [
      "/readyz",
      async (response) => {
        const reason = await readiness.whyNot();
        text(response, reason === null ? 200 : 503, reason ?? "ok");
      },
    ],
  ]);
  if (greeting) pages.set("/", (response) => text(response, 200, HELLO));
  return (request, response) => {
    const page = pages.get(request.url?.split("?", 1)[0] ?? "");
    if (page === undefined)
      text(response, 404, "Nothing is here. Methods are at /<package>.<Service>/<Method>.");
    else if (request.method !== "GET" && request.method !== "HEAD")
      text(response, 405, "Only GET.");
    else void page(response);
  };
};
