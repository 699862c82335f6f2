/**
 * What is sent to the collector, and what is not. A collector that is slow or away costs records and a
 * line of the log now and then, never time: what waits is bounded, and what is too much is counted.
 */
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Meters } from "./meters.ts";
import type { SENDING_TABLE, SIGNAL_NAMES } from "./tables/sending.ts";
import { createWaitingRoom, type WaitingRoom } from "./waiting-room.ts";

export type SignalName = (typeof SIGNAL_NAMES)[number];
type Reason = "queue_full" | "failed";

/** What an exporter of the SDK says of a batch. `code` 0: it arrived. */
type Result = { readonly code: number; readonly error?: Error };
type Exporter<Batch> = { export(batch: Batch, done: (result: Result) => void): void };

export type SendingOptions = {
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  /** Null until there are some: nothing is sent before. */
  readonly meters: () => Meters<typeof SENDING_TABLE> | null;
};

export type Sending = {
  /**
   * Counts what comes of the batches of an exporter, each of `size` items, which leave their room as it
   * takes them. Answers with the same one.
   */
  watch<Batch, E extends Exporter<Batch>>(
    signal: SignalName,
    exporter: E & Exporter<Batch>,
    size: (batch: Batch) => number,
    room: Pick<WaitingRoom, "leave">,
  ): E;
  /** For at most so many spans or records at once. */
  room(signal: "traces" | "logs", most: number): WaitingRoom;
};

const ARRIVED = 0;
/** A collector that comes and goes is not told of more often. */
const SAY_EVERY_MS = 60_000;

const SENTENCES: Readonly<Record<Reason, string>> = {
  failed: "the collector does not take what is sent to it",
  queue_full: "more is to be sent than the collector takes: the rest is counted and left out",
};

export const createSending = ({ clock, log, meters }: SendingOptions): Sending => {
  const saidAt = new Map<string, number>();
  /** Those of which it was said that they do not arrive. */
  const away = new Set<SignalName>();

  const say = (signal: SignalName, reason: Reason, facts: object): boolean => {
    const key = `${signal} ${reason}`;
    const now = clock.monotonic();
    if (now - (saidAt.get(key) ?? Number.NEGATIVE_INFINITY) < SAY_EVERY_MS) return false;
    saidAt.set(key, now);
    log.warn({ signal, ...facts }, SENTENCES[reason]);
    return true;
  };

  const lose = (signal: SignalName, count: number, reason: Reason): void => {
    if (signal === "metrics") return;
    meters()?.lost(count, {
      "millrace.telemetry.signal": signal,
      "millrace.telemetry.reason": reason,
    });
  };

  const came = (signal: SignalName, count: number, { code, error }: Result): void => {
    const outcome = code === ARRIVED ? "sent" : "failed";
    meters()?.sendings(1, {
      "millrace.telemetry.signal": signal,
      "millrace.telemetry.outcome": outcome,
    });
    if (outcome === "sent") {
      if (away.delete(signal)) log.info({ signal }, "the collector takes what is sent to it again");
      return;
    }
    lose(signal, count, "failed");
    if (away.has(signal)) return;
    if (say(signal, "failed", { reason: error?.message ?? "" })) away.add(signal);
  };

  return {
    watch: (signal, exporter, size, room) => {
      const send = exporter.export.bind(exporter);
      return Object.assign(exporter, {
        export: (batch: Parameters<typeof send>[0], done: (result: Result) => void) => {
          const count = size(batch);
          room.leave(count);
          send(batch, (result) => {
            came(signal, count, result);
            done(result);
          });
        },
      });
    },
    room: (signal, most) =>
      createWaitingRoom(most, () => {
        lose(signal, 1, "queue_full");
        say(signal, "queue_full", { most });
      }),
  };
};
