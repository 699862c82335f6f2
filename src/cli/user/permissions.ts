import type { Command } from "commander";

/** What a user may do, as lists; absent ones are left to the server or stay as they are. */
export type PermissionOptions = {
  readonly abilities?: readonly string[];
  readonly roles?: readonly string[];
};

/** `a,b`; nothing at all is an empty list. The server knows which names there are. */
const parseNames = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export const addPermissionOptions = (command: Command): Command =>
  command
    .option(
      "--abilities <list>",
      "jobs:create,jobs:view,jobs:cancel,jobs:retry,jobs:run-as",
      parseNames,
    )
    .option("--roles <list>", "admin,job-read,job-write", parseNames);

export const permissionsOf = ({ abilities, roles }: PermissionOptions) => ({
  ...(abilities === undefined ? {} : { abilities: { names: [...abilities] } }),
  ...(roles === undefined ? {} : { roles: { names: [...roles] } }),
});
