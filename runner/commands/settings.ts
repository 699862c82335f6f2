import { z } from "zod";

/** The commands that this runner offers, by name. */
export const commands = z.record(z.string(), z.unknown()).default({});
