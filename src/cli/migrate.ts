import type { Command } from "commander";

import type * as migrations from "../store/migrate.ts";
import { type DatabaseOptions, databaseConfig, startFailure } from "./database.ts";
import { EXIT } from "./exit-codes.ts";
import { addExamples, addFormatOption, type FormatOptions } from "./options.ts";
import { parseInteger } from "./parse.ts";
import type { Act, Register } from "./program.ts";
import { printLine, type Shell } from "./shell.ts";

type Options = DatabaseOptions & FormatOptions & { readonly shards?: number };

/** What a command tells: as JSON for machines, as lines for people. */
type Told = { readonly json: object; readonly lines: readonly string[] };

type Migration = typeof migrations;

const up = async (store: Migration, url: string, { shards }: Options): Promise<Told> => {
  const applied = await store.migrateUp(url, shards === undefined ? {} : { shards });
  const lines =
    applied.length === 0 ? ["The schema is up to date."] : applied.map((name) => `applied ${name}`);
  return { json: { applied }, lines };
};

const down = async (store: Migration, url: string): Promise<Told> => {
  const reverted = await store.migrateDown(url);
  const lines = [reverted === null ? "There is nothing to take back." : `took back ${reverted}`];
  return { json: { reverted }, lines };
};

const status = async (store: Migration, url: string): Promise<Told> => {
  const found = await store.migrationStatus(url);
  const lines = [
    ...found.applied.map((name) => `applied  ${name}`),
    ...found.pending.map((name) => `pending  ${name}`),
    ...found.unknown.map((name) => `unknown  ${name}`),
  ];
  return { json: found, lines };
};

const unlock = async (store: Migration, url: string): Promise<Told> => {
  await store.unlockMigrations(url);
  return { json: { unlocked: true }, lines: ["The migration lock is free."] };
};

type Work = (store: Migration, url: string, options: Options) => Promise<Told>;

const add = (parent: Command, shell: Shell, act: Act, name: string, about: string, work: Work) => {
  const command = parent
    .command(name)
    .description(about)
    .option("--database <url>", "sqlite:… or mysql://… (MILLRACE_DATABASE_URL, MYSQL_*)")
    .option("--data-dir <folder>", "of the embedded database (MILLRACE_DATA_DIR)")
    .action(
      act(async (options: Options) => {
        const config = databaseConfig(options, shell.environment);
        try {
          const told = await work(await import("../store/migrate.ts"), config.databaseUrl, options);
          const json = options.output === "json";
          for (const line of json ? [JSON.stringify(told.json)] : told.lines) {
            printLine(shell.stdout, line);
          }
        } catch (caught) {
          throw startFailure(caught);
        }
        return EXIT.ok;
      }),
    );
  addExamples(
    addFormatOption(command),
    `millrace migrate ${name} --database mysql://root@db/millrace`,
  );
  return command;
};

export const registerMigrate: Register = (parent, shell, act) => {
  const migrate = parent
    .command("migrate")
    .description("Brings the schema of the database forward and back.");
  const forward = "Applies every migration that the database lacks.";
  add(migrate, shell, act, "up", forward, up).option(
    "--shards <n>",
    "how many shards a new database gets, for good (1 on SQLite, 16 on MySQL)",
    parseInteger,
  );
  add(
    migrate,
    shell,
    act,
    "down",
    "Takes the newest migration back, and the data in its tables.",
    down,
  );
  add(
    migrate,
    shell,
    act,
    "status",
    "Shows which migrations the database has. Changes nothing.",
    status,
  );
  add(migrate, shell, act, "unlock", "Frees the lock of a migration that was killed.", unlock);
};
