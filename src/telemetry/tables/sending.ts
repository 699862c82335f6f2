import type { Table } from "./spec.ts";

export const SIGNAL_NAMES = ["traces", "metrics", "logs"] as const;

/** What servers and runners measure of their own telemetry, if it is sent to a collector. */
export const SENDING_TABLE = {
  sendings: {
    name: "millrace.telemetry.sendings",
    kind: "counter",
    unit: "{batch}",
    tells: "Batches for the collector. `failed`: they did not reach it, and are not sent again.",
    attributes: {
      "millrace.telemetry.signal": SIGNAL_NAMES,
      "millrace.telemetry.outcome": ["sent", "failed"],
    },
  },
  lost: {
    name: "millrace.telemetry.lost",
    kind: "counter",
    unit: "{item}",
    tells:
      "Spans and log records that never reach the collector. `queue_full`: it takes them too slowly; `failed`: it did not take their batch. Metrics are sent whole each time: the next batch makes up for a lost one.",
    attributes: {
      "millrace.telemetry.signal": ["traces", "logs"],
      "millrace.telemetry.reason": ["queue_full", "failed"],
    },
  },
} as const satisfies Table;
