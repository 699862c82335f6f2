import { z } from "zod";

import type { FromChild } from "./protocol.ts";

/**
 * The border to the children: whatever does not look exactly like this is a broken child. Texts are
 * bounded by the frame's size; the outbox cuts rows and messages to what the server takes.
 */
const id = z.int().positive();
/** It has 80,000 characters. */
const MOST_CACHE = 1_000_000;
const cpuUs = z.number().nonnegative();

const frame = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("ready") }),
  z.strictObject({ op: z.literal("cache"), codeCache: z.string().max(MOST_CACHE) }),
  z.strictObject({
    op: z.literal("output"),
    id,
    stream: z.enum(["STDOUT", "STDERR", "LOG"]),
    text: z.string(),
  }),
  z.strictObject({
    op: z.literal("progress"),
    id,
    fraction: z.number().min(0).max(1),
    message: z.string().max(500),
    step: z.int().min(0).max(1_000_000),
    steps: z.int().min(0).max(1_000_000),
  }),
  z.strictObject({
    op: z.literal("call"),
    id,
    call: z.int().positive(),
    name: z
      .string()
      .regex(/^[a-z]+(\.[a-z]+)*$/)
      .max(50),
    payload: z.string(),
  }),
  z.strictObject({ op: z.literal("succeeded"), id, result: z.string(), cpuUs }),
  z.strictObject({
    op: z.literal("failed"),
    id,
    code: z
      .string()
      .regex(/^[a-z]+\.?[a-z_]*$/)
      .max(50),
    message: z.string().max(8_192 + 100),
    stack: z.string().max(8_192 + 100),
    retryable: z.boolean().nullable(),
    cpuUs,
  }),
]);

/** @throws ZodError, SyntaxError: the child is broken or hostile */
export const parseHeard = (text: string): FromChild => frame.parse(JSON.parse(text));
