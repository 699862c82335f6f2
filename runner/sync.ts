import { Code, ConnectError } from "@connectrpc/connect";

import type { SyncResponse } from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { type Clock, sleep } from "../src/runtime/clock.ts";
import type { Log } from "../src/runtime/log.ts";
import type { Random } from "../src/runtime/random.ts";
import { backoffMs } from "./backoff.ts";
import type { ServerConnection } from "./connection.ts";
import type { AttemptRef } from "./executor.ts";
import { refMessage } from "./wire.ts";

/** Who this runner is, for every server alike. */
export type Identity = {
  readonly runnerId: string;
  readonly displayName: string;
  readonly capabilities: readonly string[];
};

export type SyncOptions = {
  readonly connection: ServerConnection;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How many attempts of this server may be held at once, now. */
  readonly slots: () => number;
  /** Everything that is held, from whichever server. */
  readonly held: () => readonly AttemptRef[];
  readonly heard: (response: SyncResponse) => void;
  readonly failed: (cause: ConnectError) => void;
};

/**
 * The conversation with one server: a call that brings answers as they come, and the next call as soon
 * as it has ended. The server counts slots for itself, so that nothing has to be said when one becomes
 * free.
 */
export type SyncLoop = {
  start(): void;
  /** The newest call was answered. */
  healthy(): boolean;
  /** Says at once what has changed. The server then ends the call under way. */
  announce(): Promise<void>;
  /** Ends with the call under way, at most 5 s later. */
  finish(): Promise<void>;
  /** Ends now; resolves when the loop has. */
  stop(): Promise<void>;
};

/** The server ends each call within 5 s. */
const CALL_TIMEOUT_MS = 9_000;

export const createSyncLoop = (options: SyncOptions): SyncLoop => {
  const { connection, identity, clock, random, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let finishing = false;
  let failures = 0;
  let answered = false;
  let ended = Promise.resolve();

  const answersTo = (immediate: boolean): AsyncIterable<SyncResponse> =>
    connection.runner.sync(
      {
        ...identity,
        capabilities: [...identity.capabilities],
        slots: options.slots(),
        attempts: options.held().map(refMessage),
        immediate,
      },
      { signal, timeoutMs: CALL_TIMEOUT_MS },
    );

  /** One call. Answers with how long to wait before the next. */
  const once = async (): Promise<number> => {
    let heard = false;
    try {
      for await (const response of answersTo(false)) {
        heard = true;
        if (failures > 0) log.info({ url: connection.url }, "the server is back");
        failures = 0;
        answered = true;
        options.heard(response);
      }
      if (!heard) throw new ConnectError("a sync without an answer", Code.Unavailable);
      return 0;
    } catch (caught) {
      if (signal.aborted) return 0;
      const cause = ConnectError.from(caught);
      failures += 1;
      if (failures === 1) log.warn({ url: connection.url, err: cause }, "the server is away");
      options.failed(cause);
      return backoffMs(failures, random);
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted && !finishing) {
      const wait = await once();
      if (wait > 0 && !finishing) await sleep(clock, wait, signal).catch(ignoreAbort);
    }
  };

  const ignoreAbort = (cause: unknown): void => {
    if (!signal.aborted) throw cause;
  };

  return {
    start: () => {
      ended = run();
    },
    healthy: () => answered && failures === 0,
    announce: async () => {
      try {
        for await (const response of answersTo(true)) options.heard(response);
      } catch (caught) {
        const cause = ConnectError.from(caught);
        if (cause.code !== Code.Canceled) {
          log.warn({ url: connection.url, err: cause }, "could not announce a change");
        }
      }
    },
    finish: async () => {
      finishing = true;
      await ended;
    },
    stop: async () => {
      finishing = true;
      stopping.abort(new ConnectError("the runner stops", Code.Canceled));
      await ended;
    },
  };
};
