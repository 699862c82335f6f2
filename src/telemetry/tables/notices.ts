import { SECONDS } from "../buckets.ts";
import type { Table } from "./spec.ts";

const NOTICES = ["callback", "hook"] as const;
/** How one try to deliver ended: by the class of the answer, or without one. */
const TRIES = ["delivered", "redirected", "refused", "unavailable", "no_answer"] as const;

/** What a server measures of callbacks and hooks. */
export const NOTICE_TABLE = {
  notices: {
    name: "millrace.deliveries.owed",
    kind: "counter",
    unit: "{delivery}",
    tells: "Notices that were written to the outbox.",
    attributes: { "millrace.delivery.kind": NOTICES },
  },
  tries: {
    name: "millrace.delivery.try.duration",
    kind: "histogram",
    unit: "s",
    tells:
      "Time of one try to deliver. `refused`: 4xx; `unavailable`: 5xx; `redirected`: 3xx, which is a failure.",
    buckets: SECONDS.call,
    attributes: { "millrace.delivery.outcome": TRIES },
  },
  deliveries: {
    name: "millrace.deliveries.ended",
    kind: "counter",
    unit: "{delivery}",
    tells: "Notices that were delivered, or that are not tried any more.",
    attributes: {
      "millrace.delivery.kind": NOTICES,
      "millrace.delivery.state": ["delivered", "failed"],
    },
  },
  deliveryTries: {
    name: "millrace.delivery.tries",
    kind: "histogram",
    unit: "{try}",
    tells: "Tries of a notice by the time that it ended.",
    buckets: [1, 2, 3, 4, 5, 6, 8, 10, 15, 20],
    attributes: {},
  },
  hooksPaused: {
    name: "millrace.hooks.paused",
    kind: "counter",
    unit: "{hook}",
    tells: "Hooks that were paused because their notices failed again and again.",
    attributes: {},
  },
  deliveryAge: {
    name: "millrace.deliveries.oldest.age",
    kind: "gauge",
    unit: "s",
    tells:
      "How long the notice that is most overdue has waited for its next try; 0 when none is due. Of a receiver that is down, the pauses between tries do not count.",
    attributes: {},
  },
  hookLoops: {
    name: "millrace.hooks.loops",
    kind: "counter",
    unit: "{notice}",
    tells: "Notices that were left out because their hook would have been told of what it caused.",
    attributes: {},
  },
} as const satisfies Table;
