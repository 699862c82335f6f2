import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "./processes.ts";
import { findPrometheus } from "./prometheus-find.ts";

export type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
};

export type RuleState = { readonly name: string; readonly health: string; readonly state?: string };

/** A real Prometheus that scrapes real programs. */
export type RunningPrometheus = {
  /** An instant query. @throws Error with what Prometheus says of a wrong one */
  query(expression: string): Promise<readonly Sample[]>;
  /** All rules that it was given, as soon as each has been evaluated. */
  rules(): Promise<readonly RuleState[]>;
  /** Asks again and again until `check` holds of the answer. */
  until<T>(ask: () => Promise<T>, check: (answer: T) => boolean): Promise<T>;
  stop(): Promise<void>;
};

const ASK_EVERY_MS = 50;
const WITHIN_MS = 20_000;

type Answer = { readonly status: string; readonly error?: string; readonly data: unknown };

/** `targets`: jobs by their name, with the addresses of their programs. `rules`: a file. */
export const startPrometheus = async (
  targets: Readonly<Record<string, readonly string[]>>,
  rules: string,
): Promise<RunningPrometheus> => {
  const { prometheus } = await findPrometheus();
  const folder = await mkdtemp(join(tmpdir(), "millrace-prometheus-"));
  const config = {
    global: { scrape_interval: "250ms", scrape_timeout: "250ms", evaluation_interval: "250ms" },
    rule_files: [rules],
    scrape_configs: Object.entries(targets).map(([job_name, addresses]) => ({
      job_name,
      static_configs: [{ targets: addresses }],
    })),
  };
  // JSON is YAML, too.
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    prometheus,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const end = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", end);
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(-5_000);
  });
  const exited = once(child, "exit");

  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const { status, error, data } = (await response.json()) as Answer;
    if (status !== "success") throw new Error(error ?? status);
    return data;
  };

  const until: RunningPrometheus["until"] = async (ask, check) => {
    const deadline = performance.now() + WITHIN_MS;
    for (;;) {
      const answer = await ask();
      if (check(answer)) return answer;
      if (performance.now() > deadline) {
        throw new Error(`Prometheus still says ${JSON.stringify(answer)}; it said: ${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  };

  const stop = async (): Promise<void> => {
    process.off("exit", end);
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const isReady = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended at once: ${said}`);
      return await fetch(`http://127.0.0.1:${port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await until(isReady, (ready) => ready);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    query: async (expression) => {
      const data = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { result } = data as {
        readonly result: readonly {
          readonly metric: Sample["metric"];
          readonly value: readonly [number, string];
        }[];
      };
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    rules: async () => {
      const data = await get("/api/v1/rules");
      const { groups } = data as {
        readonly groups: readonly { readonly rules: readonly RuleState[] }[];
      };
      return groups.flatMap((group) => group.rules);
    },
    until,
    stop,
  };
};
