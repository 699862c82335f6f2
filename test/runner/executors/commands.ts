import { createCommands } from "../../../runner/commands/service.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLog } from "../../../src/runtime/log.ts";
import { commandsFrom, type Given, shell } from "../../support/commands.ts";
import { runnerFor } from "../../support/runner-under-test.ts";
import { GRACE_MS, type Subject, type WorkName } from "./subject.ts";

const JSON_RESULT = { result: "stdout-json" } as const;

const COMMANDS: Readonly<Record<Exclude<WorkName, "steps">, Given>> = {
  answers: {
    argv: ["/bin/cat"],
    parameters: { type: "object" },
    stdin: "input",
    ...JSON_RESULT,
  },
  prints: { argv: shell("seq 500") },
  floods: { argv: shell("seq 2500") },
  progresses: {
    argv: shell("echo '::progress 0.5 halfway'; echo '::progress 1'"),
    progress: "lines",
  },
  ends: { argv: shell("echo ending") },
  waits: { argv: shell("trap 'echo tidied; exit 0' TERM; echo waiting; sleep 1000 & wait") },
  works: { argv: shell("echo working; sleep 0.2") },
  stubborn: { argv: shell("trap '' TERM; echo waiting; sleep 1000") },
  busy: { argv: shell("echo waiting; while :; do :; done") },
  fails: { argv: shell("exit 3") },
  fails_for_good: { argv: shell("exit 3"), retry_exit_codes: [] },
  breaks: { argv: shell("exec 1>&- 2>&-; exit 255") },
  crashes: { argv: shell("kill -KILL $$") },
  large: {
    argv: shell(`printf '"'; head -c 1048576 /dev/zero | tr '\\0' x; printf '"'`),
    ...JSON_RESULT,
  },
  deep: { argv: ["/bin/echo", "[".repeat(31) + "]".repeat(31)], ...JSON_RESULT },
  speaks_late: { argv: shell("(sleep 0.01; echo late) & exit 0") },
};

const prepared = () =>
  commandsFrom(
    Object.fromEntries(
      Object.entries(COMMANDS).map(([name, given]) => [
        name,
        { kill_after_seconds: GRACE_MS / 1_000, ...given },
      ]),
    ),
  );

export const commands: Subject = {
  name: "commands",
  lacks: { steps: "a command has none" },
  codes: { failed: "command.exit", crashed: ["command.signal"] },
  assigned: (work) => ({ capability: `command:${work}`, scriptHash: "" }),
  start: async () => {
    const service = createCommands(prepared(), { clock: systemClock, log: silentLog });
    await service.start();
    return service;
  },
  runnerFor: (server, drainMs) => runnerFor(server, { commands: prepared(), drainMs }),
};
