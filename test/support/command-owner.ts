import { shell, startCommands } from "./commands.ts";

/**
 * A process with a running command, for a test that kills it. It says what the command says: first
 * the descriptors that it finds, then its process id and that of its child.
 */
const commands = await startCommands({
  family: { argv: shell("ls -l /proc/$$/fd; sleep 1000 & echo pids $$ $!; wait") },
});
await commands.run("family", { onOutput: (row) => process.stdout.write(`${row}\n`) });
