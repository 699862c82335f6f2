import type { Command } from "commander";

import { createToken, type TokenSubject } from "../../identity/create-token.ts";
import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import { MEMBER_PERMISSIONS } from "../../jobs/abilities.ts";
import {
  type IdentityStore,
  type OrganizationRow,
  STANDARD_LIMITS,
  type UserRow,
} from "../../store/store.ts";
import { type DatabaseOptions, withStore } from "../database.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { addExamples, addFormatOption, type FormatOptions } from "../options.ts";
import { parseDurationMs } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";

type Options = DatabaseOptions &
  FormatOptions & {
    readonly organization?: string;
    readonly user?: string;
    readonly runner?: boolean;
    readonly create?: boolean;
    readonly member?: boolean;
    readonly name: string;
    readonly expires?: number;
  };

/** By its id or by its name. */
const findOrganization = async (
  identity: IdentityStore,
  wanted: string,
  options: Options,
  shell: Shell,
): Promise<OrganizationRow> => {
  const found =
    (await identity.findOrganization(wanted as OrganizationId)) ??
    (await identity.findOrganizationByName(wanted));
  if (found !== null) return found;
  if (options.create !== true) {
    throw usageFailure(`There is no organization ${wanted}.`, "--create makes what is missing.");
  }
  const row: OrganizationRow = {
    id: shell.random.uuid() as OrganizationId,
    name: wanted,
    ...STANDARD_LIMITS,
    createdAt: shell.clock.now(),
  };
  await identity.insertOrganization(row);
  return row;
};

/** By its id or by its name, within the organization. */
const findUser = async (
  identity: IdentityStore,
  organization: OrganizationRow,
  wanted: string,
  options: Options,
  shell: Shell,
): Promise<UserRow> => {
  const found =
    (await identity.findUser(organization.id, wanted as UserId)) ??
    (await identity.findUserByName(organization.id, wanted));
  if (found !== null) return found;
  if (options.create !== true) {
    throw usageFailure(
      `There is no user ${wanted} in ${organization.name}.`,
      "--create makes what is missing.",
    );
  }
  const row: UserRow = {
    id: shell.random.uuid() as UserId,
    organizationId: organization.id,
    name: wanted,
    permissions: options.member === true ? MEMBER_PERMISSIONS : ["admin"],
    disabledAt: null,
    createdAt: shell.clock.now(),
  };
  await identity.insertUser(row);
  return row;
};

const subjectOf = async (
  identity: IdentityStore,
  options: Options,
  shell: Shell,
): Promise<TokenSubject> => {
  const { organization, user, runner } = options;
  if (runner === true) {
    if (organization === undefined && user === undefined) return { kind: "runner" };
    throw usageFailure("A runner's token speaks for no user: --runner goes alone.");
  }
  if (organization === undefined || user === undefined) {
    throw usageFailure("For whom? Give --organization and --user, or --runner.");
  }
  const owner = await findOrganization(identity, organization, options, shell);
  const { id } = await findUser(identity, owner, user, options, shell);
  return { kind: "user", organizationId: owner.id, userId: id };
};

const create = async (options: Options, shell: Shell) =>
  await withStore(options, shell.environment, async ({ identity }) => {
    const subject = await subjectOf(identity, options, shell);
    const { clock, random } = shell;
    const expiresAt = options.expires === undefined ? null : clock.now() + options.expires;
    const made = await createToken(
      { identity, clock, random },
      { ...subject, name: options.name, expiresAt },
    );
    const expires = expiresAt === null ? null : new Date(expiresAt).toISOString();
    if (options.output === "json") {
      const { id, kind, organizationId, userId } = made.row;
      const told = { token: made.text, id, kind, organizationId, userId, expires };
      printLine(shell.stdout, JSON.stringify(told));
    } else {
      printLine(shell.stdout, made.text);
      printLine(
        shell.stderr,
        `Keep it: it is shown this once. ${expires === null ? "It does not expire" : `It expires ${expires}`}; ` +
          `\`millrace token revoke ${made.row.id}\` ends it.`,
      );
    }
    return EXIT.ok;
  });

/** Every token command works on the database itself. */
export const addDatabaseOptions = (command: Command): Command =>
  addFormatOption(command)
    .option("--database <url>", "sqlite:… or mysql://… (MILLRACE_DATABASE_URL, MYSQL_*)")
    .option("--data-dir <folder>", "of the embedded database (MILLRACE_DATA_DIR)");

export const registerCreate: Register = (parent, shell, act) => {
  const command = parent
    .command("create")
    .description("Makes a token and prints it. Only its hash is kept.")
    .option("--organization <name>", "the organization, by name or id")
    .option("--user <name>", "the user it speaks for, by name or id")
    .option("--create", "make the organization and the user if they are missing")
    .option("--member", "with --create: a user who sees his own jobs only, and is no admin")
    .option("--runner", "a token for a runner instead")
    .option("--name <text>", "a name for people", "cli")
    .option("--expires <duration>", "when it ends: 30d (never, if absent)", parseDurationMs)
    .action(act(async (options: Options) => await create(options, shell)));
  addExamples(
    addDatabaseOptions(command),
    "millrace token create --organization acme --user ada --create --expires 30d",
    "millrace token create --runner --name rack-7",
  );
};
