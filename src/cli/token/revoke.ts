import { type DatabaseOptions, withStore } from "../database.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { addExamples, type FormatOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { addDatabaseOptions } from "./create.ts";

type Options = DatabaseOptions & FormatOptions;

/** A token's text holds its id: either names the token. */
const idOf = (given: string): string => /^mr_([0-9A-Za-z]+)_/.exec(given)?.[1] ?? given;

export const registerRevoke: Register = (parent, shell, act) => {
  const command = parent
    .command("revoke")
    .description("Ends a token. Every server knows within 5 s.")
    .argument("<token>", "its id, as `token list` shows it, or the token itself")
    .action(
      act(
        async (given: string, options: Options) =>
          await withStore(options, shell.environment, async ({ identity }) => {
            const id = idOf(given);
            if (!(await identity.revokeToken(id, shell.clock.now()))) {
              throw new CliFailure(EXIT.refused, `There is no token ${id} that is still valid.`, {
                next: "`millrace token list` shows all of them.",
              });
            }
            const json = options.output === "json";
            printLine(
              shell.stdout,
              json ? JSON.stringify({ revoked: id }) : `Token ${id} is revoked.`,
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addDatabaseOptions(command), "millrace token revoke 0Qw8cXr2Tz5LmN1bY");
};
