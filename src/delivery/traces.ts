import type { DeliveryRow } from "../jobs/delivery.ts";
import type { Answer } from "../outgoing/post.ts";

/** Follows notices on their way, if somebody traces. */
export type DeliveryTraces = {
  /**
   * One try. `submission` reads the W3C Trace Context of the job's submission, empty if there is
   * none; `send` is handed the
   * headers by which the receiver can go on with the trace: none, if nobody traces it.
   */
  follow(
    delivery: DeliveryRow,
    submission: () => Promise<string>,
    send: (headers: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer>;
};

export const NO_TRACES: DeliveryTraces = {
  follow: async (_delivery, _submission, send) => await send({}),
};
