import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, it } from "vitest";

import { valueOf } from "../../src/api/convert/json-value.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { startTestServer } from "../support/server.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const BIN = path.join(ROOT, "node_modules", ".bin");

const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  const env = { ...process.env, PATH: `${BIN}${path.delimiter}${process.env["PATH"] ?? ""}` };
  const { stdout } = await promisify(execFile)(command, args, { cwd, env });
  return stdout;
};

const APPLICATION = `
import { createRunner, JobError, type Progress } from "millrace/runner";
import { z } from "zod";

const runner = createRunner({
  url: process.argv[2] ?? "",
  credential: process.env["RUNNER_TOKEN"],
  handlers: {
    double: {
      input: z.object({ n: z.number() }),
      execute: async (job, ctx) => {
        const half: Progress = { done: 1, total: 2 };
        ctx.progress(half);
        // @ts-expect-error: it is a number
        const wrong: string = job.input.n;
        if (job.input.n > 10) throw new JobError("double.too_large", \`\${wrong} is too large\`);
        return await ctx.step("double", () => ({ twice: 2 * job.input.n }));
      },
    },
  },
});
process.once("SIGTERM", () => void runner.stop().then(() => console.log("stopped")));
await runner.start();
console.log("started");
`;

const TYPE_CHECK = {
  compilerOptions: {
    target: "esnext",
    module: "nodenext",
    lib: ["esnext"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  },
  files: ["main.ts"],
};

/** app/ with the package unpacked in its node_modules; the packages that it needs are those of here. */
const install = async (folder: string): Promise<string> => {
  const app = path.join(folder, "app");
  const installed = path.join(app, "node_modules", "millrace");
  await mkdir(installed, { recursive: true });
  await symlink(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  await run("npm", ["pack", "--pack-destination", folder], ROOT);
  const unpack = ["-xzf", path.join(folder, "millrace-0.1.0.tgz"), "-C", installed];
  await run("tar", [...unpack, "--strip-components=1"], folder);
  await writeFile(path.join(app, "package.json"), '{"type": "module"}');
  await writeFile(path.join(app, "tsconfig.json"), JSON.stringify(TYPE_CHECK));
  await writeFile(path.join(app, "main.ts"), APPLICATION);
  return app;
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-package-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it("an application that installs the package type-checks, runs jobs, and ends when it is told to", async () => {
  const [app, server] = await Promise.all([
    install(folder),
    startTestServer({ handlers: ["double"] }),
  ]);
  await using stack = new AsyncDisposableStack();
  stack.defer(server.stop);
  expect(await run("tsc", ["-p", "."], app)).toBe("");
  const child = spawn(process.execPath, ["main.ts", server.internalUrl], {
    cwd: app,
    env: { RUNNER_TOKEN: server.runnerToken },
    stdio: ["ignore", "pipe", "pipe"],
  });
  stack.defer(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const complaints = text(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("started");

  const submit = (n: number) => ({
    spec: {
      work: { case: "type" as const, value: "double" },
      input: valueOf(JSON.stringify({ n })),
      retryPolicy: { maxRetries: 0 },
    },
  });
  const good = await server.jobs.runJob({ submit: submit(7) });
  expect(good.job).toMatchObject({ state: JobState.SUCCEEDED, progress: { fraction: 1 } });
  const bad = await server.jobs.runJob({ submit: submit(11) });
  expect(bad.job?.error?.code).toBe("double.too_large");

  child.kill("SIGTERM");
  expect((await lines.next()).value).toBe("stopped");
  expect(await exited).toEqual([0, null]);
  expect(await complaints).toBe("");
});

it("its command says that there is no server in it", async () => {
  const launcher = path.join(folder, "app", "node_modules", "millrace", "bin", "millrace");
  await expect(run(launcher, ["serve"], folder)).rejects.toMatchObject({
    code: 127,
    stderr: expect.stringContaining("from a checkout of Millrace") as string,
  });
});
