import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import type { RunnerObserver } from "../../runner/observer.ts";
import { createEgress, NO_EGRESS } from "../../runner/egress/egress.ts";
import type { Network } from "../../src/outgoing/network.ts";
import type { Assignment } from "../../runner/executor.ts";
import type { FetchRequest, FetchResponse } from "../../runner/fetch-wire.ts";
import { HostFault } from "../../runner/host-calls.ts";
import { parseSettings } from "../../runner/settings.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";

/** A listener of this machine, which knows what arrived at it. */
export type Site = {
  readonly port: number;
  /** Connections that were ever opened to it. */
  connections(): number;
  /** `GET /path` of each request. */
  readonly requests: readonly string[];
  readonly heard: readonly IncomingMessage[];
  close(): Promise<void>;
};

export const startSite = async (
  listener: RequestListener,
  address = "127.0.0.1",
): Promise<Site> => {
  let connections = 0;
  const heard: IncomingMessage[] = [];
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    heard.push(request);
    requests.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    requests,
    heard,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Says what was asked of it. */
export const echo: RequestListener = (request, response) => {
  void buffer(request).then((body) => {
    const { method, url, headers } = request;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method, url, headers, body: body.toString() }));
  });
};

export const assignment = (over: Partial<Assignment> = {}): Assignment => ({
  ref: { organizationId: "acme", jobId: "job-1", attempt: 1, leaseToken: "lease" },
  capability: "script",
  scriptHash: "",
  input: "null",
  attemptTimeoutMs: 5_000,
  type: "",
  typeVersion: 0,
  creatorId: "ada",
  runAs: "ada",
  labels: {},
  traceparent: "",
  jobToken: "mr_job-token-of-ada",
  ...over,
});

/** Names that lead to `address`, whatever is dialled there: this machine. */
export const namesLeadTo = (
  address: string | ((host: string) => readonly string[]),
): Network & { readonly asked: string[]; readonly dialled: string[] } => {
  const asked: string[] = [];
  const dialled: string[] = [];
  return {
    asked,
    dialled,
    resolve: async (host) => {
      asked.push(host);
      return await Promise.resolve(typeof address === "string" ? [address] : address(host));
    },
    dial: (checked) => {
      dialled.push(checked);
      return "127.0.0.1";
    },
  };
};

export const PUBLIC = "93.184.215.14";

type FetchFacts = Parameters<RunnerObserver["fetchEnded"]>[0];

export type OpenEgress = {
  stop(): Promise<void>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly facts: readonly FetchFacts[];
  fetch(url: string, request?: Partial<FetchRequest>, signal?: AbortSignal): Promise<Fetched>;
  /** The code and the message of what is thrown. */
  refusal(url: string, request?: Partial<FetchRequest>): Promise<string>;
};

export type Fetched = FetchResponse & { readonly text: string; readonly json: unknown };

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The egress of one attempt under the configuration `yaml`. */
export const openEgress = (
  yaml: string,
  given: {
    readonly network?: Network;
    readonly assignment?: Assignment;
    /** False: it takes no answer out of the pipe. */
    readonly reads?: boolean;
  } = {},
): OpenEgress => {
  const facts: FetchFacts[] = [];
  const egress = createEgress({
    settings: parseSettings(yaml, "runner.yaml"),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    observer: { fetchEnded: (fact) => facts.push(fact) },
    network: given.network ?? namesLeadTo(PUBLIC),
  });
  const { calls, secrets } = egress?.open(given.assignment ?? assignment()) ?? NO_EGRESS;
  const call = calls.get("fetch");
  if (call === undefined) throw new Error("there is no fetch");

  const fetch: OpenEgress["fetch"] = async (url, request, signal) => {
    const defaults = { method: "GET", headers: [], body: null, redirect: "follow" };
    const taken: (() => void)[] = [];
    const answer = (await call(
      { url, ...defaults, ...request },
      signal ?? new AbortController().signal,
      (run) => taken.push(run),
    ).finally(() => {
      if (given.reads !== false) for (const run of taken) run();
    })) as FetchResponse;
    const text = Buffer.from(answer.body, "base64").toString();
    return { ...answer, text, json: jsonOf(text) };
  };
  return {
    stop: async () => {
      await egress?.stop();
    },
    secrets,
    facts,
    fetch,
    refusal: async (url, request) => {
      try {
        const { status, text } = await fetch(url, request);
        return `answered ${status} ${text}`;
      } catch (cause) {
        if (cause instanceof HostFault) return `${cause.code}: ${cause.message}`;
        throw cause;
      }
    },
  };
};
