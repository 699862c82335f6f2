import { LRUCache } from "lru-cache";

import { ScriptLanguage } from "../src/gen/millrace/v1/job_pb.ts";
import type { Clock } from "../src/runtime/clock.ts";
import type { Random } from "../src/runtime/random.ts";
import type { ServerConnection } from "./connection.ts";
import { persist } from "./persist.ts";

export type ScriptText = { readonly code: string; readonly fileName: "script.js" | "script.ts" };

/** The texts of scripts by organization and hash: content-addressed, so never stale. */
export type Scripts = {
  /**
   * One call for all who ask at once; tried again while no server answers.
   * @throws ConnectError, NOT_FOUND among them
   */
  get(organizationId: string, hash: string): Promise<ScriptText>;
};

export type ScriptsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** A server that answers. */
  readonly route: () => ServerConnection;
};

const MOST_CHARS = 64 * 1024 * 1024;
const CALL_TIMEOUT_MS = 5_000;

export const createScripts = (options: ScriptsOptions): Scripts => {
  const { route } = options;
  const known = new LRUCache<string, ScriptText>({
    maxSize: MOST_CHARS,
    sizeCalculation: ({ code }) => code.length + 1,
  });
  const asked = new Map<string, Promise<ScriptText>>();

  const fetch = async (organizationId: string, hash: string): Promise<ScriptText> => {
    const { code, language } = await route().runner.getScript(
      { organizationId, hash },
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    const typescript = language === ScriptLanguage.TYPESCRIPT;
    return { code, fileName: typescript ? "script.ts" : "script.js" };
  };

  return {
    get: async (organizationId, hash) => {
      const key = `${organizationId}/${hash}`;
      const found = known.get(key) ?? asked.get(key);
      if (found !== undefined) return await found;
      const asking = persist(options, async () => await fetch(organizationId, hash));
      asked.set(key, asking);
      try {
        const script = await asking;
        known.set(key, script);
        return script;
      } finally {
        asked.delete(key);
      }
    },
  };
};
