import { accessSync, constants, statSync } from "node:fs";

import { SettingsFault } from "../settings.ts";
import { type Account, AccountFault, findAccount } from "./account.ts";
import { compileParameters, type Parameters, SchemaFault } from "./parameters.ts";
import type { CommandSettings } from "./settings.ts";
import { parseTemplate, placesOf, type Template, TemplateFault } from "./template.ts";

/** A command as it runs: everything that can be known before the first job has been looked at. */
export type Command = {
  readonly name: string;
  readonly program: string;
  readonly template: Template;
  readonly parameters: Parameters;
  readonly mayDash: ReadonlySet<string>;
  readonly stdin: CommandSettings["stdin"];
  readonly result: CommandSettings["result"];
  readonly progress: CommandSettings["progress"];
  /** Null: a fresh one for each attempt. */
  readonly directory: string | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Null: as the runner. */
  readonly account: Account | null;
  readonly umask: number;
  readonly newPrivileges: boolean;
  readonly timeoutMs: number;
  readonly killAfterMs: number;
  readonly output: { readonly outputBytes: number; readonly outputLines: number };
  /** Null: all of them. */
  readonly organizations: ReadonlySet<string> | null;
  readonly successExitCodes: ReadonlySet<number>;
  /** Null: any. */
  readonly retryExitCodes: ReadonlySet<number> | null;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** What the runner itself knows of a job. */
const JOB_PLACES = ["job.id", "job.attempt", "job.organization_id"] as const;

/** Looks at the file system and the users. @throws SettingsFault that names the key */
export const prepareCommands = (
  settings: Readonly<Record<string, CommandSettings>>,
  environment: Environment,
): readonly Command[] =>
  Object.entries(settings).map(([name, given]) => {
    const [program, ...rest] = given.argv;
    const told = <T>(key: string, work: () => T): T => at(`commands.${name}.${key}`, work);
    const parameters = told("parameters", () => compileParameters(given.parameters));
    const template = told("argv", () => parseTemplate(rest));
    told("argv", () => {
      checkPlaces(template, given.parameters);
    });
    told("allow_leading_dash", () => {
      for (const parameter of given.allow_leading_dash) checkKnown(parameter, given.parameters);
    });
    told("argv[0]", () => {
      checkProgram(program);
    });
    const { directory, user, organizations, retry_exit_codes: retry } = given;
    if (directory !== undefined) {
      told("directory", () => {
        checkDirectory(directory);
      });
    }
    return {
      name,
      program,
      template,
      parameters,
      mayDash: new Set(given.allow_leading_dash),
      stdin: given.stdin,
      result: given.result,
      progress: given.progress,
      directory: directory ?? null,
      environment: { ...inherited(given.environment, environment), ...given.set },
      account: user === undefined ? null : told("user", () => findAccount(user)),
      umask: Number.parseInt(given.umask, 8),
      newPrivileges: given.new_privileges,
      timeoutMs: (given.timeout_seconds ?? Number.POSITIVE_INFINITY) * 1_000,
      killAfterMs: given.kill_after_seconds * 1_000,
      output: { outputBytes: given.output.max_bytes, outputLines: given.output.max_lines },
      organizations: organizations === null ? null : new Set(organizations),
      successExitCodes: new Set(given.success_exit_codes),
      retryExitCodes: retry === "any" ? null : new Set(retry),
    };
  });

const at = <T>(key: string, work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    const known =
      cause instanceof SchemaFault ||
      cause instanceof TemplateFault ||
      cause instanceof AccountFault ||
      cause instanceof SettingsFault;
    if (!known) throw cause;
    throw new SettingsFault(`${key}: ${cause.message}`, { cause });
  }
};

type Schema = Readonly<Record<string, unknown>>;

const propertiesOf = (schema: Schema): Schema => (schema["properties"] ?? {}) as Schema;

const checkKnown = (name: string, schema: Schema): void => {
  if (Object.hasOwn(propertiesOf(schema), name)) return;
  const known = Object.keys(propertiesOf(schema)).join(", ");
  throw new SettingsFault(
    `${JSON.stringify(name)} is not among the properties of \`parameters\`: ${known || "there are none"}`,
  );
};

/** A place that may turn out empty is a slip: what of the arguments should then stay? */
const checkPlaces = (template: Template, schema: Schema): void => {
  const required = (schema["required"] ?? []) as readonly unknown[];
  const properties = propertiesOf(schema);
  for (const { name, needed } of placesOf(template)) {
    if (name.startsWith("job.")) {
      if (JOB_PLACES.some((known) => known === name)) continue;
      throw new SettingsFault(`{${name}} is unknown: there are ${JOB_PLACES.join(", ")}`);
    }
    checkKnown(name, schema);
    const filled = "default" in Object(properties[name]);
    if (needed && !filled && !required.includes(name)) {
      throw new SettingsFault(
        `{${name}} has neither a default nor is it required: write {${name}?} to leave the argument out without it`,
      );
    }
  }
};

const checkProgram = (path: string): void => {
  if (path.includes("{")) throw new SettingsFault(`${path}: a program is not chosen by a job`);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new SettingsFault(`${path} does not exist`);
  if (!found.isFile()) throw new SettingsFault(`${path} is no file`);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new SettingsFault(`${path} may not be executed`, { cause });
  }
};

const checkDirectory = (path: string): void => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new SettingsFault(`${path} does not exist`);
  if (!found.isDirectory()) throw new SettingsFault(`${path} is no directory`);
};

const inherited = (
  names: readonly string[],
  environment: Environment,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
