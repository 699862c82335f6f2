import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { LRUCache } from "lru-cache";

import { JobFault } from "../../jobs/errors.ts";
import { isUuidV7, type OrganizationId } from "../../jobs/ids.ts";
import { createBuckets } from "../../metrics/buckets.ts";
import { beyond } from "../../metrics/reach.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { type AddressOf, subscriberOf } from "../address.ts";
import { CODES } from "../errors.ts";
import { placeOf } from "../scope.ts";
import type { MetricsApi } from "./api.ts";
import { publicAnswer, publicQuery } from "./public-query.ts";

const PATH = "/public/metrics/";
/** How long an answer is given again without asking the database. */
const KEEP_MS = 3_000;
const MOST_ANSWERS = 1_000;
/** Characters of all answers that are kept. */
const MOST_ANSWER_LENGTH = 32 * 1_024 * 1_024;
const MOST_KEYS = 10_000;

/** What one address may ask for, what may be asked of one organization, and how much of that anew. */
export type PublicRates = Readonly<
  Record<
    "address" | "organization" | "anew",
    { readonly perSecond: number; readonly burst: number }
  >
>;

export const PUBLIC_RATES: PublicRates = {
  address: { perSecond: 5, burst: 20 },
  organization: { perSecond: 50, burst: 100 },
  anew: { perSecond: 2, burst: 10 },
};

const HTTP_STATUS: Readonly<Partial<Record<Code, number>>> = {
  [Code.InvalidArgument]: 400,
  [Code.PermissionDenied]: 403,
  [Code.NotFound]: 404,
  [Code.ResourceExhausted]: 429,
  [Code.Unavailable]: 503,
};

class TooOften extends Error {
  readonly waitMs: number;
  constructor(waitMs: number) {
    super("This was asked for too often.");
    this.waitMs = waitMs;
  }
}

type Said = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
};

const refusal = (status: number, code: string, message: string, retryMs?: number): Said => ({
  status,
  body: JSON.stringify({ code, message }),
  ...(retryMs === undefined
    ? {}
    : { headers: { "retry-after": `${Math.max(1, Math.ceil(retryMs / 1_000))}` } }),
});

/** In the same words whether there is no such organization or it has opened nothing. */
const NOTHING_HERE = refusal(404, "not_found", "Nothing is open to everybody here.");

const ONLY_GET: Said = {
  ...refusal(405, "unimplemented", "Only GET."),
  headers: { allow: "GET, HEAD" },
};

const refused = (caught: unknown, log: Log): Said => {
  if (caught instanceof TooOften) {
    return refusal(429, "resource_exhausted", caught.message, caught.waitMs);
  }
  const fault = JobFault.from(caught);
  const code = CODES[fault.reason];
  const status = HTTP_STATUS[code] ?? 500;
  if (status === 500)
    log.error({ err: fault.cause ?? fault }, "public metrics failed by our fault");
  return refusal(status, codeToString(code), fault.message, status === 503 ? 1_000 : undefined);
};

export type PublicOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly addressOf: AddressOf;
};

/**
 * GET /public/metrics/<organization id>: what an organization has opened to everybody, without a
 * login. Answers are kept for three seconds, and what one address asks for and what is asked of one
 * organization is limited, so that however many come they cost the database next to nothing. Every
 * other path is `next`'s.
 */
export const publicMetrics = (
  api: MetricsApi,
  { clock, log, addressOf }: PublicOptions,
  next: RequestListener,
  rates = PUBLIC_RATES,
): RequestListener => {
  const buckets = (rate: PublicRates[keyof PublicRates]) =>
    createBuckets({ clock, max: MOST_KEYS, ...rate });
  const [addresses, organizations, anew] = [
    buckets(rates.address),
    buckets(rates.organization),
    buckets(rates.anew),
  ];
  const answers = new LRUCache<string, { readonly at: number; readonly body: Promise<string> }>({
    max: MOST_ANSWERS,
    maxSize: MOST_ANSWER_LENGTH,
  });

  const take = (from: typeof addresses, key: string): void => {
    const waitMs = from.take(key);
    if (waitMs > 0) throw new TooOften(waitMs);
  };

  const remembered = async (key: string, work: () => Promise<string>): Promise<string> => {
    const known = answers.get(key);
    if (known !== undefined && clock.monotonic() - known.at < KEEP_MS) return await known.body;
    take(anew, key.slice(0, key.indexOf("?")));
    const entry = { at: clock.monotonic(), body: work() };
    answers.set(key, entry, { size: 1 });
    try {
      const body = await entry.body;
      if (answers.peek(key) === entry) answers.set(key, entry, { size: body.length });
      return body;
    } catch (caught) {
      if (answers.peek(key) === entry) answers.delete(key);
      throw caught;
    }
  };

  const answer = async (request: IncomingMessage, id: string, search: string): Promise<Said> => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return ONLY_GET;
    }
    take(addresses, subscriberOf(addressOf(request)));
    if (!isUuidV7(id)) return NOTHING_HERE;
    const organizationId = id as OrganizationId;
    const [opened] = await api.grants.of(organizationId, "");
    if (opened === undefined) return NOTHING_HERE;
    take(organizations, id);
    const query = publicQuery(api, new URLSearchParams(search), opened);
    const hidden = beyond([opened], query.metrics, query.types);
    if (hidden !== null) {
      return refusal(403, "permission_denied", `${hidden} is not open to everybody.`);
    }
    const body = await remembered(
      `${id}?${query.key}`,
      async () => await publicAnswer(api, placeOf(api.tenants, organizationId), query),
    );
    return { status: 200, body, headers: { "cache-control": "public, max-age=2" } };
  };

  const say = (request: IncomingMessage, response: ServerResponse, said: Said): void => {
    response.writeHead(said.status, {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...said.headers,
    });
    response.end(request.method === "HEAD" ? undefined : `${said.body}\n`);
  };

  return (request, response) => {
    const [path = "", search = ""] = (request.url ?? "").split("?", 2);
    if (!path.startsWith(PATH)) {
      next(request, response);
      return;
    }
    void answer(request, path.slice(PATH.length), search)
      .catch((caught: unknown) => refused(caught, log))
      .then((said) => say(request, response, said));
  };
};
