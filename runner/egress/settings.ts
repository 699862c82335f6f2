import { z } from "zod";

/** Where scripts may go, and the secrets that the broker puts in for them. */
export const upstreams = z.record(z.string(), z.unknown()).default({});
export const egress = z.unknown().optional();
export const secrets = z.record(z.string(), z.unknown()).default({});
