import { z } from "zod";

import { isOrganizationId, NO_ORGANIZATION_ID } from "../organization-id.ts";

/** The section `commands` of the runner's configuration file. docs/commands.md explains every key. */
const KIB = 1024;
const MIB = 1024 * KIB;

/** The server takes an attempt away 15 s after its time is over: the kill has to come before. */
const LONGEST_KILL_AFTER_SECONDS = 10;

const text = z.string().refine((value) => !value.includes("\0"), "must not hold a NUL");

/** A record whose keys are told what is wrong with them. */
const named = <Value extends z.ZodType>(check: (name: string) => string | null, value: Value) =>
  z.record(z.string(), value).superRefine((record, context) => {
    for (const key of Object.keys(record)) {
      const message = check(key);
      if (message !== null) context.addIssue({ code: "custom", path: [key], message });
    }
  });

const badName = (name: string): string | null =>
  /^[A-Za-z0-9._-]{1,100}$/.test(name) ? null : "a command's name is 1 to 100 of A-Z a-z 0-9 . _ -";

const absolutePath = text.refine(
  (path) => path.startsWith("/"),
  "must be an absolute path: nothing is searched",
);

const EVERY_ONE = "*";

const organization = z
  .string()
  .refine(
    (id) => id === EVERY_ONE || isOrganizationId(id),
    `${NO_ORGANIZATION_ID}, or "*" for all`,
  );

const organizations = z.preprocess(
  (given) => (given === EVERY_ONE ? [EVERY_ONE] : given),
  z
    .array(organization)
    .min(1)
    .refine((ids) => ids.length === 1 || !ids.includes(EVERY_ONE), '"*" stands alone')
    .transform((ids) => (ids[0] === EVERY_ONE ? null : ids)),
);

const badVariable = (name: string): string | null => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "must be the name of a variable";
  return name.startsWith("MILLRACE_") ? "variables of Millrace are not given away" : null;
};

const variable = z.string().superRefine((name, context) => {
  const message = badVariable(name);
  if (message !== null) context.addIssue({ code: "custom", message });
});

const exitCode = z.int().min(0).max(255);

const command = z.strictObject({
  description: z.string().max(1_000).default(""),
  /** A list inside it is kept or left out as a whole. */
  argv: z
    .tuple([absolutePath])
    .rest(
      z.union(
        [text, z.array(text).min(1)],
        "must be a text (numbers in quotes), or a list of texts",
      ),
    )
    .refine((argv) => argv.length <= 1_000, "has at most 1,000 parts"),
  /** Without it, no parameters are taken. */
  parameters: z
    .record(z.string(), z.unknown())
    .default({ type: "object", additionalProperties: false }),
  allow_leading_dash: z.array(z.string()).default([]),
  stdin: z.enum(["none", "input"]).default("none"),
  result: z.enum(["exit", "none", "stdout-json"]).default("exit"),
  progress: z.enum(["none", "lines"]).default("none"),
  directory: absolutePath.optional(),
  environment: z.array(variable).default([]),
  set: named(badVariable, text).default({}),
  user: z.union([z.string().min(1), z.int().min(0)]).optional(),
  umask: z
    .string('must be octal digits in quotes, such as "027"')
    .regex(/^0?[0-7]{3}$/, 'must be octal digits in quotes, such as "027"')
    .default("077"),
  new_privileges: z.boolean().default(false),
  timeout_seconds: z.number().min(0.1).max(86_400).optional(),
  kill_after_seconds: z.number().min(0).max(LONGEST_KILL_AFTER_SECONDS).default(5),
  output: z
    .strictObject({
      max_bytes: z
        .int()
        .min(1)
        .max(16 * MIB)
        .default(256 * KIB),
      max_lines: z.int().min(1).max(100_000).default(2_000),
    })
    .prefault({}),
  /** Null: all. */
  organizations,
  success_exit_codes: z.array(exitCode).min(1).default([0]),
  retry_exit_codes: z
    .union(
      [z.literal("any"), z.array(exitCode)],
      "must be `any`, or a list of exit codes from 0 to 255",
    )
    .default("any"),
});

export type CommandSettings = z.infer<typeof command>;

/** The commands that this runner offers, by name. */
export const commands = named(badName, command).default({});

/** Of one command. docs/commands.md lists them. */
export const COMMAND_KEYS: readonly string[] = Object.keys(command.shape);
