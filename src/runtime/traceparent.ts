/** W3C Trace Context, as it travels in a header and is kept with a job. */
export type TraceContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 1: sampled. */
  readonly traceFlags: number;
};

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NOTHING = /^0+$/;

/** Null: it is none. */
export const parseTraceparent = (text: string): TraceContext | null => {
  const [, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(text) ?? [];
  if (NOTHING.test(traceId) || NOTHING.test(spanId) || traceId === "") return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
};

export const formatTraceparent = ({ traceId, spanId, traceFlags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
