import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import type { Site } from "./site.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** The second halves the work of a start. */
const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 20;

/** A port that nobody listens on now. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

/** `millrace <command>` as a process of its own, which can be killed and started again. */
export class MillraceProcess {
  readonly #command: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #said = "";

  constructor(command: string, environment: Readonly<Record<string, string>>) {
    this.#command = command;
    this.#environment = environment;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`millrace ${this.#command} does not run`);
    return pid;
  }

  /** Everything that it wrote to its error output, for a test that fails. */
  get said(): string {
    return this.#said;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, this.#command], {
      env: { PATH, NODE_COMPILE_CACHE, ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        this.#said = (this.#said + data.toString()).slice(-20_000);
      });
    }
    this.#child = child;
    // Whoever started it may end without a chance to stop it.
    const end = (): void => {
      child.kill("SIGKILL");
    };
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    await once(child, "spawn");
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
}

export type Addresses = { readonly publicUrl: string; readonly internalUrl: string };

/** A server process and where it is found. `start` resolves when it is ready. */
export class ServerProcess extends MillraceProcess {
  readonly addresses: Addresses;

  static async at(
    site: Site,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    return new ServerProcess(site, await freePort(), await freePort(), environment);
  }

  constructor(
    site: Site,
    port: number,
    internalPort: number,
    environment: Readonly<Record<string, string>>,
  ) {
    super("serve", {
      MILLRACE_DATABASE_URL: site.databaseUrl,
      MILLRACE_LISTEN: `127.0.0.1:${port}`,
      MILLRACE_INTERNAL_LISTEN: `127.0.0.1:${internalPort}`,
      MILLRACE_INTERNAL_URL: `http://127.0.0.1:${internalPort}`,
      MILLRACE_METRICS_LISTEN: "off",
      MILLRACE_LOG_LEVEL: "warn",
      ...environment,
    });
    this.addresses = {
      publicUrl: `http://127.0.0.1:${port}`,
      internalUrl: `http://127.0.0.1:${internalPort}`,
    };
  }

  override async start(): Promise<void> {
    await super.start();
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        const { ok } = await fetch(`${this.addresses.publicUrl}/readyz`);
        if (ok) return;
      } catch (cause) {
        if (performance.now() > deadline) {
          throw new Error(`the server did not come up:\n${this.said}`, { cause });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }
}

/** A runner process of a server. */
export const runnerProcess = (
  site: Site,
  { internalUrl }: Addresses,
  environment: Readonly<Record<string, string>> = {},
): MillraceProcess =>
  new MillraceProcess("runner", {
    MILLRACE_INTERNAL_URL: internalUrl,
    MILLRACE_RUNNER_TOKEN: site.runnerToken,
    MILLRACE_LOG_LEVEL: "warn",
    ...environment,
  });
