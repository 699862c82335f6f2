import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { childCommand } from "../../runner/sandbox/launch.ts";
import { type LayerName, type Layers, probeLayers } from "../../runner/sandbox/layers.ts";
import { bundleProgram, createHome, type Home, readProgram } from "../../runner/sandbox/program.ts";
import { type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

const run = promisify(execFile);

const SANDBOX = join(import.meta.dirname, "../../runner/sandbox");

/** What somebody would do who runs code of his own in the process of a child. */
const PROBES = `
  import { readFileSync, readdirSync, writeFileSync } from "node:fs";
  import { spawnSync } from "node:child_process";
  import { connect } from "node:net";
  const probes = {
    "read a file": () => readFileSync("/etc/passwd"),
    "list a directory": () => readdirSync("/"),
    "read the runner's environment": () => readFileSync("/proc/" + process.ppid + "/environ"),
    "write to its directory": () => writeFileSync("left", "x"),
    "start a program": () => { const { error } = spawnSync("/bin/true"); if (error) throw error; },
    "signal the runner": () => process.kill(process.ppid, 0),
    "load native code": () => {
      const { dlopen } = process.getBuiltinModule("node:ffi");
      dlopen("libm.so.6", {});
    },
    "reach the runner's network": () => new Promise((resolve, reject) => {
      connect(PORT, "127.0.0.1").on("connect", resolve).on("error", reject);
    }),
  };
`;

/** What native code would do. Without the filter of system calls it would work. */
const SYSTEM_PROBES = `
  const SYSCALLS = process.arch === "x64"
    ? { prlimit: 302, fcntl: 72, setpriority: 141 }
    : { prlimit: 261, fcntl: 25, setpriority: 140 };
  const system = (number, ...given) => {
    const { dlopen } = process.getBuiltinModule("node:ffi");
    const { functions } = dlopen(null, {
      syscall: { return: "i64", arguments: Array(6).fill("i64") },
    });
    const args = Array.from({ length: 5 }, (_, index) => BigInt(given[index] ?? 0));
    if (functions.syscall(BigInt(number), ...args) === -1n) throw { code: "refused" };
  };
  Object.assign(probes, {
    "read its own limits": () => system(SYSCALLS.prlimit, 0, 7, 0, 0),
    "change the runner's limits": () => system(SYSCALLS.prlimit, process.ppid, 7, 0, 0),
    "have the runner signalled": () => system(SYSCALLS.fcntl, 1, 8, process.ppid),
    "slow the runner": () => system(SYSCALLS.setpriority, 0, process.ppid, 0),
  });
`;

const TELL = `
  const tell = async () => {
    const told = { env: Object.keys(process.env) };
    for (const [name, probe] of Object.entries(probes)) {
      try { await probe(); told[name] = "done"; } catch (error) { told[name] = error.code; }
    }
    process.stdout.write(JSON.stringify(told), () => process.reallyExit());
  };
  void tell();
`;

/** As the child's program does before it hears of any script. */
const LOCK = `import { lockDown } from "./lockdown.ts"; lockDown();`;
const DROP = `for (const right of ["fs", "addon", "child", "worker", "net", "inspector", "ffi"]) {
  process.permission.drop(right);
}`;

describe("a child that was taken over", () => {
  let directory = "";
  let listener: Server;
  let layers: Layers;

  const homeWith = async (name: string, text: string): Promise<Home> => {
    const port = String((listener.address() as AddressInfo).port);
    const contents = text.replace("PORT", port);
    const program = await bundleProgram({ stdin: { contents, resolveDir: SANDBOX } });
    return createHome(join(directory, name), program);
  };

  const told = async (file: string, args: readonly string[], home: Home): Promise<object> => {
    const { stdout } = await run(file, args, { env: {}, cwd: home.directory });
    return JSON.parse(stdout) as object;
  };

  const lacks = (...names: LayerName[]): boolean =>
    names.some((name) => layers.missing.includes(name));

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "taken-child-"));
    listener = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    layers = await probeLayers(createHome(join(directory, "probe"), await readProgram()));
  });

  afterAll(() => {
    listener.close();
    rmSync(directory, { recursive: true });
  });

  it("finds every door of Node closed", async ({ skip }) => {
    skip(lacks("syscall-filter"));
    const home = await homeWith("node", `${LOCK} ${DROP} ${PROBES} ${TELL}`);
    const { file, args } = childCommand(layers, home);
    const denied = "ERR_ACCESS_DENIED";
    expect(await told(file, args, home)).toEqual({
      env: [],
      "read a file": denied,
      "list a directory": denied,
      "read the runner's environment": denied,
      "write to its directory": denied,
      "start a program": denied,
      "signal the runner": "EPERM",
      "load native code": denied,
      "reach the runner's network": denied,
    });
    expect(readdirSync(home.directory)).toEqual([]);
  });

  it("finds the same doors closed by the kernel, where Node would open them", async ({ skip }) => {
    skip(lacks("syscall-filter"));
    const home = await homeWith("kernel", `${LOCK} ${PROBES} ${SYSTEM_PROBES} ${TELL}`);
    const [file, ...args] = [...layers.prefix, process.execPath, "--no-warnings", home.entry];
    expect(await told(file, args, home)).toMatchObject({
      env: [],
      "read a file": "EPERM",
      "list a directory": "EPERM",
      "read the runner's environment": "EPERM",
      "write to its directory": "EPERM",
      "start a program": "EPERM",
      "signal the runner": "EPERM",
      "reach the runner's network": "EPERM",
      "read its own limits": "done",
      "change the runner's limits": "refused",
      "have the runner signalled": "refused",
      "slow the runner": "refused",
    });
  });

  it("has no network and no other rights by its namespaces alone", async ({ skip }) => {
    skip(lacks("namespaces"));
    const home = await homeWith("namespaces", `${PROBES} ${SYSTEM_PROBES} ${TELL}`);
    const [file, ...args] = [...layers.prefix, process.execPath, "--no-warnings", home.entry];
    expect(await told(file, args, home)).toMatchObject({
      env: [],
      // Of another user namespace.
      "read the runner's environment": "EACCES",
      "reach the runner's network": "ENETUNREACH",
      // It is still the same user: only the filter holds it.
      "change the runner's limits": "done",
      "have the runner signalled": "done",
    });
  });

  it("is what the real ones are: every thread is filtered, and can get no privileges", async ({
    skip,
  }) => {
    skip(lacks("syscall-filter", "namespaces"));
    const sandbox: Sandbox = await startSandbox();
    const [child] = sandbox.supervisor.children().filter(({ state }) => state === "idle");
    const tasks = `/proc/${child?.pid}/task`;
    const threads = readdirSync(tasks);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) {
      const status = readFileSync(`${tasks}/${thread}/status`, "utf8");
      expect(status).toMatch(/^NoNewPrivs:\s1$/m);
      expect(status).toMatch(/^Seccomp:\s2$/m);
      expect(status).toMatch(/^CapEff:\s0+$/m);
    }
    await sandbox.stop();
  });

  it("has no ring of io_uring, which no filter sees through", async ({ skip }) => {
    skip(lacks("no-io-uring"));
    const sandbox: Sandbox = await startSandbox();
    const [child] = sandbox.supervisor.children().filter(({ state }) => state === "idle");
    const open = `/proc/${child?.pid}/fd`;
    const targets = readdirSync(open).map((fd) => readlinkSync(`${open}/${fd}`));
    expect(targets.length).toBeGreaterThan(3);
    expect(targets.filter((target) => target.includes("io_uring"))).toEqual([]);
    await sandbox.stop();
  });
});
