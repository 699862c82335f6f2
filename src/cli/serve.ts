import { loadConfig } from "../config.ts";
import { startFailure } from "./database.ts";
import { EXIT } from "./exit-codes.ts";
import { aborted } from "./interrupt.ts";
import { addExamples } from "./options.ts";
import type { Register } from "./program.ts";

export const registerServe: Register = (parent, shell, act) => {
  const command = parent
    .command("serve")
    .summary("Runs a server until it is told to end.")
    .description(
      "Runs a server until it is told to end. The environment configures it: see\n" +
        "docs/configuration.md. Without a database it uses SQLite in MILLRACE_DATA_DIR.",
    )
    .action(
      act(async () => {
        const config = loadConfig(shell.environment);
        try {
          // Loaded here, because the other commands are quicker without it.
          const { startServer } = await import("../serve.ts");
          const server = await startServer(config);
          await aborted(shell.signal);
          await server.stop();
        } catch (caught) {
          throw startFailure(caught);
        }
        return EXIT.ok;
      }),
    );
  addExamples(
    command,
    "millrace serve",
    "MILLRACE_DATABASE_URL=mysql://millrace:secret@db:3306/millrace millrace serve",
  );
};
