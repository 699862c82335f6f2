import type { Command } from "commander";

import { createToken } from "../identity/create-token.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import { LIMITS } from "../jobs/limits.ts";
import {
  type IdentityStore,
  type OrganizationRow,
  STANDARD_LIMITS,
  type UserRow,
} from "../store/store.ts";
import { type DatabaseOptions, withStore } from "./database.ts";
import { EXIT } from "./exit-codes.ts";
import { factsText } from "./facts.ts";
import { CliFailure, usageFailure } from "./failure.ts";
import { addExamples, addFormatOption, type FormatOptions } from "./options.ts";
import { parseDurationMs } from "./parse.ts";
import type { Register } from "./program.ts";
import { printLine, type Shell } from "./shell.ts";

type Options = DatabaseOptions &
  FormatOptions & {
    readonly organization?: string;
    readonly user?: string;
    readonly name: string;
    readonly expires?: number;
  };

/** As the API takes names. @throws CliFailure */
const requireName = (option: string, name: string, longest: number): void => {
  const isProper = name !== "" && name === name.trim() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
  if (isProper && name.length <= longest) return;
  throw usageFailure(
    `${option} takes 1 to ${longest} characters, without white space around them or control characters.`,
  );
};

/** By its name; made if it is missing. */
const organizationOf = async (
  identity: IdentityStore,
  name: string,
  { clock, random }: Shell,
): Promise<OrganizationRow> => {
  const found = await identity.findOrganizationByName(name);
  if (found !== null) return found;
  const id = random.uuid() as OrganizationId;
  const row: OrganizationRow = { id, name, ...STANDARD_LIMITS, createdAt: clock.now() };
  await identity.insertOrganization(row);
  return row;
};

/** By his name; made as an admin if he is missing. */
const adminOf = async (
  identity: IdentityStore,
  organizationId: OrganizationId,
  name: string,
  { clock, random }: Shell,
): Promise<UserRow> => {
  const found = await identity.findUserByName(organizationId, name);
  if (found !== null) {
    if (found.permissions.includes("admin") && found.disabledAt === null) return found;
    const lacks = found.disabledAt === null ? "is no admin" : "is disabled";
    throw new CliFailure(EXIT.refused, `The user ${name} is there and ${lacks}.`, {
      next: "Name another with --user, or leave him out and change him with the operator's token.",
    });
  }
  const row: UserRow = {
    id: random.uuid() as UserId,
    organizationId,
    name,
    permissions: ["admin"],
    disabledAt: null,
    createdAt: clock.now(),
  };
  await identity.insertUser(row);
  return row;
};

const bootstrap = async (options: Options, shell: Shell) =>
  await withStore(options, shell.environment, async ({ identity }) => {
    const { clock, random } = shell;
    const { organization, user, name, expires } = options;
    if ((organization === undefined) !== (user === undefined)) {
      throw usageFailure("--organization and --user go together: an admin is of an organization.");
    }
    if (organization !== undefined) {
      requireName("--organization", organization, LIMITS.organizationNameLength);
    }
    if (user !== undefined) requireName("--user", user, LIMITS.userNameLength);
    requireName("--name", name, LIMITS.tokenNameLength);
    const common = { name, expiresAt: expires === undefined ? null : clock.now() + expires };
    const maker = { identity, clock, random };
    const told: Record<string, string> = {};
    if (organization !== undefined && user !== undefined) {
      const { id: organizationId } = await organizationOf(identity, organization, shell);
      const { id: userId } = await adminOf(identity, organizationId, user, shell);
      const subject = { kind: "user" as const, organizationId, userId };
      const { text } = await createToken(maker, { ...subject, ...common });
      Object.assign(told, { organizationId, userId, token: text });
    }
    told["operatorToken"] = (await createToken(maker, { kind: "operator", ...common })).text;
    told["runnerToken"] = (await createToken(maker, { kind: "runner", ...common })).text;
    const json = options.output === "json";
    printLine(shell.stdout, json ? JSON.stringify(told) : factsText(Object.entries(told)));
    if (!json) printLine(shell.stderr, "Keep the tokens: they are shown this once.");
    return EXIT.ok;
  });

const addDatabaseOptions = (command: Command): Command =>
  addFormatOption(command)
    .option("--database <url>", "sqlite:… or mysql://… (MILLRACE_DATABASE_URL, MYSQL_*)")
    .option("--data-dir <folder>", "of the embedded database (MILLRACE_DATA_DIR)");

export const registerBootstrap: Register = (parent, shell, act) => {
  const command = parent
    .command("bootstrap")
    .summary("Makes an operator's and a runner's token, directly in the database.")
    .description(
      "Makes an operator's and a runner's token, directly in the database: to begin with, or when\n" +
        "the operator's was lost. Everything else is made through the API with these.",
    )
    .option("--organization <name>", "also an organization of that name, if it is missing …")
    .option("--user <name>", "… with an admin of that name, and a token of his")
    .option("--name <text>", "a name of the tokens, for people", "bootstrap")
    .option("--expires <duration>", "when they end: 30d (never, if absent)", parseDurationMs)
    .action(act(async (options: Options) => await bootstrap(options, shell)));
  addExamples(
    addDatabaseOptions(command),
    "millrace bootstrap --organization acme --user ada",
    "millrace bootstrap --database mysql://millrace:secret@db/millrace --output json",
  );
};
