/** A process with sandbox children, one of them in a loop. Prints their ids, then lives until it is killed. */
import { startSandbox } from "./runner-sandbox.ts";

const sandbox = await startSandbox({ slots: 1, spares: 1, limits: { cpuMs: 60_000 } });
const code = "export default () => { console.log('on'); for (;;); }";
await new Promise<string>((resolve) => {
  void sandbox.run(code, { onOutput: resolve, timeoutMs: 60_000 });
});
process.stdout.write(
  `${sandbox.supervisor
    .children()
    .map(({ pid }) => pid)
    .join(" ")}\n`,
);
