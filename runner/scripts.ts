import type { MessageInitShape } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";

import type {
  GetScriptRequestSchema,
  GetScriptResponse,
} from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { ScriptLanguage } from "../src/gen/millrace/v1/job_pb.ts";
import type { Clock } from "../src/runtime/clock.ts";
import type { Random } from "../src/runtime/random.ts";
import type { ServerConnection } from "./connection.ts";
import { persist } from "./persist.ts";

export type ScriptText = { readonly code: string; readonly fileName: "script.js" | "script.ts" };

/** The script that a version of a job type is. */
export type TypeScriptText = ScriptText & { readonly version: number };

/** The texts of scripts by organization and hash: content-addressed, so never stale. */
export type Scripts = {
  /**
   * One call for all who ask at once; tried again while no server answers.
   * @throws ConnectError, NOT_FOUND among them
   */
  get(organizationId: string, hash: string): Promise<ScriptText>;
  /**
   * The script of a job type; of its newest version if `version` is 0, as it was at most 2 s ago.
   * @throws ConnectError, NOT_FOUND among them
   */
  ofType(organizationId: string, type: string, version: number): Promise<TypeScriptText>;
};

export type ScriptsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** A server that answers. */
  readonly route: () => ServerConnection;
};

const MOST_CHARS = 64 * 1024 * 1024;
const MOST_TYPES = 10_000;
const NEWEST_FOR_MS = 2_000;
const CALL_TIMEOUT_MS = 5_000;

export const createScripts = (options: ScriptsOptions): Scripts => {
  const { route, clock } = options;
  const known = new LRUCache<string, ScriptText>({
    maxSize: MOST_CHARS,
    sizeCalculation: ({ code }) => code.length + 1,
  });
  /** Which text a version is. A version never changes; which one is the newest does. */
  const versions = new LRUCache<string, { readonly hash: string; readonly version: number }>({
    max: MOST_TYPES,
    ttlResolution: 0,
    perf: { now: clock.monotonic },
  });
  const texts = shared<ScriptText>();
  const types = shared<TypeScriptText>();

  const ask = async (
    request: MessageInitShape<typeof GetScriptRequestSchema>,
  ): Promise<GetScriptResponse> =>
    await persist(
      options,
      async () => await route().runner.getScript(request, { timeoutMs: CALL_TIMEOUT_MS }),
    );

  const keep = (organizationId: string, hash: string, response: GetScriptResponse): ScriptText => {
    const typescript = response.language === ScriptLanguage.TYPESCRIPT;
    const fileName = typescript ? "script.ts" : "script.js";
    const script: ScriptText = { code: response.code, fileName };
    known.set(`${organizationId}/${hash}`, script);
    return script;
  };

  const get: Scripts["get"] = async (organizationId, hash) => {
    const key = `${organizationId}/${hash}`;
    return (
      known.get(key) ??
      (await texts(key, async () =>
        keep(organizationId, hash, await ask({ organizationId, hash })),
      ))
    );
  };

  return {
    get,
    ofType: async (organizationId, type, version) => {
      const key = `${organizationId}/${type}@${version}`;
      const found = versions.get(key);
      if (found !== undefined) {
        return { ...(await get(organizationId, found.hash)), version: found.version };
      }
      return await types(key, async () => {
        const response = await ask({ organizationId, type, typeVersion: version });
        const { hash, typeVersion } = response;
        versions.set(
          key,
          { hash, version: typeVersion },
          { ttl: version === 0 ? NEWEST_FOR_MS : 0 },
        );
        return { ...keep(organizationId, hash, response), version: typeVersion };
      });
    },
  };
};

/** One question for all who ask it at once. */
const shared = <T>(): ((key: string, ask: () => Promise<T>) => Promise<T>) => {
  const asked = new Map<string, Promise<T>>();
  return async (key, ask) => {
    const before = asked.get(key);
    if (before !== undefined) return await before;
    const asking = ask();
    asked.set(key, asking);
    try {
      return await asking;
    } finally {
      asked.delete(key);
    }
  };
};
