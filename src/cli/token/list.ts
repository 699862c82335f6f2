import type { TokenRow } from "../../store/store.ts";
import { type DatabaseOptions, withStore } from "../database.ts";
import { EXIT } from "../exit-codes.ts";
import { addExamples, type FormatOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { tableText } from "../table.ts";
import { addDatabaseOptions } from "./create.ts";

type Options = DatabaseOptions & FormatOptions;

const HEADING = ["TOKEN", "KIND", "NAME", "USER", "CREATED", "LAST USE", "STATE"];

const time = (at: number | null): string => (at === null ? "" : new Date(at).toISOString());

const stateOf = (row: TokenRow, now: number): string => {
  if (row.revokedAt !== null) return `revoked ${time(row.revokedAt)}`;
  if (row.expiresAt === null) return "valid";
  return `${row.expiresAt <= now ? "expired" : "valid until"} ${time(row.expiresAt)}`;
};

/** Hashes stay where they are. */
const shown = ({ hash: _hash, ...row }: TokenRow): object => row;

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists all tokens, without what makes them usable.")
    .action(
      act(
        async (options: Options) =>
          await withStore(options, shell.environment, async ({ identity }) => {
            const rows = await identity.listTokens();
            const now = shell.clock.now();
            const cells = rows.map((row) => [
              row.id,
              row.kind,
              row.name,
              row.userId,
              time(row.createdAt),
              time(row.lastUsedAt),
              stateOf(row, now),
            ]);
            printLine(
              shell.stdout,
              options.output === "json"
                ? JSON.stringify({ tokens: rows.map(shown) })
                : tableText(HEADING, cells),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addDatabaseOptions(command), "millrace token list");
};
