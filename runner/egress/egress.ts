import { type Attributes, SpanKind } from "@opentelemetry/api";

import type { Clock } from "../../src/runtime/clock.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import type { Log } from "../../src/runtime/log.ts";
import type { Random } from "../../src/runtime/random.ts";
import type { RunnerObserver } from "../observer.ts";
import type { Assignment } from "../executor.ts";
import type { FetchResponse } from "../fetch-wire.ts";
import { type HostCall, type HostCalls, HostFault } from "../host-calls.ts";
import { createRedaction, formsOf, type Redaction } from "../redaction.ts";
import { logFacts } from "../log-facts.ts";
import { failSpan, spansHere, traceparentOf } from "../spans.ts";
import { createBroker, type Requester } from "./broker.ts";
import { createClients } from "./clients.ts";
import { type Destination, destinationName, destinationOf } from "./destination.ts";
import { type Network, systemNetwork } from "../../src/outgoing/network.ts";
import { createQuota } from "./quota.ts";
import { denied } from "./refusal.ts";
import { parseRequest } from "./request.ts";
import { isConfigured, rulesOf, secretsFrom } from "./rules.ts";
import { createPlaceholders, mayGoTo, type Secret, secretsOf } from "./secrets.ts";
import type { EgressSettings } from "./settings.ts";

/** What an attempt of a script is given. */
export type AttemptEgress = {
  /** `fetch`. */
  readonly calls: HostCalls;
  /** By the name of the secret: what stands for its value. */
  readonly secrets: Readonly<Record<string, string>>;
};

/** The network of scripts, as far as an operator has configured it. It holds connections and the operator's secrets, and outlives attempts. */
export type Egress = Service & {
  open(assignment: Assignment): AttemptEgress;
  /** For all that leaves the attempt. */
  redactionOf(assignment: Assignment): Redaction;
};

export type EgressOptions = {
  readonly settings: EgressSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Pick<RunnerObserver, "fetchEnded">;
  readonly network?: Network;
};

const PLACEHOLDER_BYTES = 18;

/** Null: nothing is configured. `stop` ends what is under way. */
export const createEgress = (options: EgressOptions): Egress | null => {
  const { settings, clock, random, log, observer } = options;
  if (!isConfigured(settings)) return null;

  const network = options.network ?? systemNetwork();
  const rules = rulesOf(settings);
  const secrets = secretsFrom(settings);
  const clients = createClients(network);
  const broker = createBroker({ rules, clients, network, clock });

  const redactionOf = ({ ref, jobToken }: Assignment): Redaction => {
    const own = secretsOf(secrets, ref.organizationId);
    return createRedaction(() => [...own.flatMap(({ forms }) => forms), ...formsOf(jobToken)]);
  };

  const open = ({ ref, jobToken, traceparent }: Assignment): AttemptEgress => {
    const { organizationId } = ref;
    const own = secretsOf(secrets, organizationId);
    const placeholders = createPlaceholders(own, () => random.secret(PLACEHOLDER_BYTES));
    const quota = createQuota();
    const startSpan = spansHere();
    const requester: Omit<Requester, "traceparent"> = {
      organizationId,
      jobToken,
      placeholders,
      redactionOf: (from) => createRedaction(() => formsThere(secrets, from, jobToken)),
      leaks: (to) => holds(to, own, jobToken),
    };

    const fetch: HostCall = async (payload, signal, whenTaken): Promise<FetchResponse> => {
      const started = clock.monotonic();
      const span = startSpan("fetch", { kind: SpanKind.CLIENT });
      let to = "";
      const ended = (outcome: string): void => {
        const durationMs = clock.monotonic() - started;
        const facts = { ...logFacts(ref), to, outcome, durationMs };
        log.debug(facts, "a script has fetched");
        observer.fetchEnded({ to, outcome, durationMs });
        if (outcome !== "ok") failSpan(span, outcome);
        span.end();
      };
      try {
        // Who does not read his answers gets no more of them: they would fill our memory.
        whenTaken(await quota.enter(signal));
        const wanted = parseRequest(payload);
        const destination = destinationOf(wanted.url, rules, organizationId);
        to = destinationName(destination);
        span.updateName(wanted.method).setAttributes(requestFacts(wanted.method, destination));
        const asked = { ...requester, traceparent: traceparentOf(span, traceparent) };
        const response = await broker.fetch(wanted, destination, asked, signal);
        span.setAttribute("http.response.status_code", response.status);
        ended("ok");
        return response;
      } catch (cause) {
        ended(cause instanceof HostFault ? cause.code : "stopped");
        throw cause;
      }
    };
    return { calls: new Map([["fetch", fetch]]), secrets: placeholders.byName };
  };

  const start = async (): Promise<void> => {
    for (const [secret, { loose }] of Object.entries(settings.secrets)) {
      if (loose) log.warn({ secret }, "others than its owner may read the file of a secret");
    }
    const origins = settings.egress?.allow.map(({ text }) => text) ?? [];
    log.info({ upstreams: [...rules.upstreams.keys()], origins }, "scripts may use the network");
    return await Promise.resolve();
  };

  return { start, stop: clients.stop, open, redactionOf };
};

/** Neither path nor query: they may hold anything. */
const requestFacts = (method: string, to: Destination): Attributes => ({
  "http.request.method": method,
  "server.address": to.url.hostname,
  ...(to.kind === "upstream" ? { "millrace.upstream": to.upstream.name } : {}),
});

/** Of all secrets, whoever may use them: they may come back from where they may go. */
const formsThere = (
  secrets: readonly Secret[],
  from: Destination,
  jobToken: string,
): readonly string[] => [
  ...secrets.filter((secret) => mayGoTo(secret, from)).flatMap(({ forms }) => forms),
  ...formsOf(jobToken),
];

const holds = (to: Destination, own: readonly Secret[], jobToken: string): boolean => {
  const takesToken = to.kind === "upstream" && to.upstream.token === "job";
  const forbidden = own.filter((secret) => !mayGoTo(secret, to)).map(({ value }) => value);
  const text = percentDecoded(to.url.href);
  return [...forbidden, ...(takesToken || jobToken === "" ? [] : [jobToken])].some((value) =>
    text.includes(value),
  );
};

/** However little of it was encoded, and whatever else is no UTF-8. */
const percentDecoded = (text: string): string => {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
};

const NOT_CONFIGURED: HostCall = async () =>
  await Promise.reject(
    denied(
      "this runner has no network for scripts: an operator allows it with upstreams or egress in the file that MILLRACE_RUNNER_CONFIG names",
    ),
  );

/** Without configuration. */
export const NO_EGRESS: AttemptEgress = {
  calls: new Map([["fetch", NOT_CONFIGURED]]),
  secrets: {},
};
