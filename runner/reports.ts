import { ConnectError } from "@connectrpc/connect";

import type { Clock } from "../src/runtime/clock.ts";
import type { Log } from "../src/runtime/log.ts";
import type { Random } from "../src/runtime/random.ts";
import type { Held } from "./attempts.ts";
import { backoffMs } from "./backoff.ts";
import type { ServerConnection } from "./connection.ts";
import { logFacts } from "./log-facts.ts";
import type { Update } from "./outbox.ts";
import { inReportSpan } from "./spans.ts";
import { isAboutContent, verdictOf } from "./verdict.ts";
import { updateMessage } from "./wire.ts";

/**
 * Brings what the attempts have to say to the servers. While calls are under way the next reports
 * gather, so batches grow with the load. A report is repeated, unchanged, until it is answered.
 */
export type Reporter = {
  news(held: Held): void;
  /** Nothing is sent any more. */
  stop(): void;
};

export type ReporterOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly route: (home: string) => ServerConnection;
  /** Attempts that have not ended. */
  readonly running: () => number;
  /** Whether an attempt is still ours to speak of. */
  readonly holds: (held: Held) => boolean;
  readonly settled: (held: Held) => void;
  readonly lost: (held: Held) => void;
  /** The server will never take what this one has to say. */
  readonly refused: (held: Held, why: string) => void;
  readonly cancelRequested: (held: Held) => void;
};

/** The contract's limit. */
const MOST_UPDATES = 1_000;
/** In characters, of which each is up to three bytes; servers read 16 MiB. */
const MOST_TEXT = 4 * 1024 * 1024;
/**
 * To one server. With two, one batch is on its way while the server commits the other. A server that
 * swallows packets holds up nobody else's reports.
 */
const CALLS_AT_ONCE = 2;
/** Output and progress wait so long for more, or for the ending. */
const GATHER_MS = 40;
/**
 * An ending waits for those of other attempts that run, longer the more they are: one call, commit
 * and answer then serve several attempts. Server and runner spent 5.5 ms of CPU on a script with 2
 * slots, 2.2 with 8, 1.35 with 16. A runner with a single attempt does not wait.
 */
const gatherEndingsMs = (running: number): number => Math.min(10, Math.ceil(running / 2));

type Batch = { readonly to: ServerConnection; readonly entries: readonly Entry[] };
type Entry = { readonly held: Held; readonly update: Update };

export const createReporter = (options: ReporterOptions): Reporter => {
  const { clock, random, log } = options;
  /** Have something to say, and no report under way. In the order of their news. */
  const due = new Set<Held>();
  const gathering = new Set<Held>();
  const underWay = new Set<Held>();
  const calls = new Map<ServerConnection, number>();
  let failures = 0;
  let mostUpdates = MOST_UPDATES;
  let pumping = false;
  let stopped = false;

  const news = (held: Held): void => {
    if (stopped || underWay.has(held) || due.has(held)) return;
    if (held.outbox.urgent()) {
      gathering.delete(held);
      due.add(held);
      const running = options.running();
      if (running > 0) pumpLater(gatherEndingsMs(running));
      else pumpSoon();
      return;
    }
    if (gathering.size === 0) clock.after(GATHER_MS, release);
    gathering.add(held);
  };

  const release = (): void => {
    for (const held of gathering) due.add(held);
    gathering.clear();
    pump();
  };

  /** Everything that ends in the same turn goes into the same call. */
  const pumpSoon = (): void => {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      pump();
    });
  };

  const pumpLater = (ms: number): void => {
    if (pumping) return;
    pumping = true;
    clock.after(ms, () => {
      pumping = false;
      pump();
    });
  };

  const pump = (): void => {
    while (!stopped) {
      const batch = gather();
      if (batch === null) return;
      void send(batch);
    }
  };

  const isBusy = (way: ServerConnection): boolean => (calls.get(way) ?? 0) >= CALLS_AT_ONCE;

  const count = (way: ServerConnection, change: 1 | -1): void => {
    const now = (calls.get(way) ?? 0) + change;
    if (now === 0) calls.delete(way);
    else calls.set(way, now);
  };

  /** What goes to the same server as the first one that can go, as much as fits. */
  const gather = (): Batch | null => {
    const entries: Entry[] = [];
    let to: ServerConnection | null = null;
    let text = 0;
    for (const held of due) {
      const way = options.route(held.home);
      if (to === null ? isBusy(way) : way !== to) continue;
      const update = options.holds(held) ? held.outbox.next() : null;
      if (update === null) {
        due.delete(held);
        continue;
      }
      text += sizeOf(update);
      if (entries.length > 0 && text > MOST_TEXT) break;
      to = way;
      entries.push({ held, update });
      due.delete(held);
      underWay.add(held);
      if (entries.length >= mostUpdates) break;
    }
    return to === null ? null : { to, entries };
  };

  const send = async ({ to, entries }: Batch): Promise<void> => {
    count(to, 1);
    try {
      const updates = entries.map(({ held, update }) => updateMessage(held.assignment.ref, update));
      const outcomes = await inReportSpan(
        entries.map(({ held }) => held.span),
        async (traceparent) => await to.reports.send(updates, traceparent),
      );
      failures = 0;
      mostUpdates = Math.min(MOST_UPDATES, mostUpdates * 2);
      take(entries, outcomes.map(verdictOf));
    } catch (caught) {
      failed(entries, ConnectError.from(caught));
    } finally {
      count(to, -1);
      pump();
    }
  };

  const take = (
    entries: readonly Entry[],
    verdicts: readonly ReturnType<typeof verdictOf>[],
  ): void => {
    const again: Held[] = [];
    for (const [index, { held }] of entries.entries()) {
      underWay.delete(held);
      const verdict = verdicts[index] ?? { kind: "again" };
      switch (verdict.kind) {
        case "applied":
          held.outbox.acknowledged();
          if (held.outbox.done()) options.settled(held);
          else if (verdict.cancelRequested) options.cancelRequested(held);
          if (held.outbox.waiting()) news(held);
          break;
        case "lost":
          options.lost(held);
          break;
        case "refused":
          log.error({ ...logFacts(held.assignment.ref), why: verdict.why }, "a report was refused");
          options.refused(held, verdict.why);
          break;
        case "again":
          again.push(held);
      }
    }
    if (again.length > 0) later(again);
  };

  const failed = (entries: readonly Entry[], cause: ConnectError): void => {
    const all = entries.map(({ held }) => held);
    for (const held of all) underWay.delete(held);
    if (!isAboutContent(cause)) {
      log.debug({ err: cause, reports: all.length }, "reports did not arrive; repeated later");
      later(all);
      return;
    }
    const [only] = all;
    if (all.length === 1 && only !== undefined) {
      log.error({ ...logFacts(only.assignment.ref), err: cause }, "a report was refused");
      options.refused(only, cause.rawMessage);
      return;
    }
    mostUpdates = Math.max(1, Math.floor(all.length / 2));
    for (const held of all) due.add(held);
  };

  /** One timer for a whole batch. */
  const later = (all: readonly Held[]): void => {
    failures += 1;
    // Not due, not under way: nothing but this timer brings them back.
    for (const held of all) underWay.add(held);
    clock.after(backoffMs(failures, random), () => {
      for (const held of all) {
        underWay.delete(held);
        due.add(held);
      }
      pump();
    });
  };

  return {
    news,
    stop: () => {
      stopped = true;
    },
  };
};

const sizeOf = ({ output, steps, ending }: Update): number =>
  output.reduce((sum, line) => sum + line.text.length, 200) +
  steps.reduce((sum, step) => sum + step.result.length, 0) +
  (ending?.kind === "succeeded" ? ending.result.length : 0) +
  (ending?.kind === "failed" ? ending.error.message.length + ending.error.stack.length : 0);
