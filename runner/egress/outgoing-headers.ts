import type { Destination, Upstream } from "./destination.ts";
import { isReservedUpstream } from "./header-rules.ts";
import { denied } from "./refusal.ts";
import { checkHeaderBytes, type Header } from "./request.ts";
import type { Placeholders } from "./secrets.ts";

/** For whom it goes out. */
type Sender = {
  readonly placeholders: Placeholders;
  readonly jobToken: string;
  readonly traceparent: string;
};

/**
 * What really goes out: the script's headers with secrets put in, the operator's, the job's token; to
 * upstreams the trace, unless the script or the operator names one.
 */
export const outgoingHeaders = (
  headers: readonly Header[],
  to: Destination,
  { placeholders, jobToken, traceparent }: Sender,
): readonly Header[] => {
  if (to.kind === "public") return checked(placeholders.headers(headers, to));
  const { upstream } = to;
  const token: Header[] =
    upstream.token === "job" ? [["authorization", `Bearer ${jobToken}`] as const] : [];
  const ours = [...upstream.headers, ...token];
  const names = new Set(ours.map(([name]) => name.toLowerCase()));
  for (const [name] of headers) checkUpstreamHeader(name, names, upstream);
  const own = placeholders.headers(headers, to);
  const isTraced = [...own, ...ours].some(([name]) => name.toLowerCase() === "traceparent");
  const traced: Header[] =
    traceparent === "" || isTraced ? [] : [["traceparent", traceparent] as const];
  return checked([...own, ...ours, ...traced]);
};

const checked = (headers: readonly Header[]): readonly Header[] => {
  checkHeaderBytes(headers);
  return headers;
};

const checkUpstreamHeader = (name: string, ours: ReadonlySet<string>, upstream: Upstream): void => {
  if (!ours.has(name.toLowerCase()) && !isReservedUpstream(name)) return;
  throw denied(`the header ${name} of requests to the upstream ${upstream.name} is not a script's`);
};
