/**
 * Loaded before `millrace serve` or `millrace runner` by bench/hops.ts: notes when a job comes by, and
 * writes all of it to the file that MILLRACE_PROBE names when the process ends. Times are those of the
 * kernel's monotonic clock, which processes share.
 */
import childProcess, { type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

import { Http2SessionManager } from "@connectrpc/connect-node";

import { RunnerSession } from "../src/cluster/runner-session.ts";
import { ShardActor } from "../src/shard/actor.ts";
import { ShardFeed } from "../src/shard/feed.ts";
import { SqliteDatabase } from "../src/store/engines/sqlite-driver.ts";

const marks: [string, number][] = [];

const mark = (name: string): void => {
  marks.push([name, Number(process.hrtime.bigint()) / 1e6]);
};

/** Calls `see` before each call of a method. */
const before = <T extends object>(
  type: { prototype: T },
  name: keyof T,
  see: (...args: never[]) => void,
): void => {
  const method = type.prototype[name] as (...args: unknown[]) => unknown;
  Object.assign(type.prototype, {
    [name](this: T, ...args: unknown[]) {
      see(...(args as never[]));
      return method.apply(this, args);
    },
  });
};

before(ShardActor, "submit", () => {
  mark("owner has the submission");
});
before(ShardActor, "report", () => {
  mark("owner has the report");
});
before(RunnerSession, "assign", () => {
  mark("assigned");
});
before(ShardFeed, "publish", () => {
  mark("told to watchers");
});
before(SqliteDatabase, "exec", (sql: string) => {
  if (sql === "COMMIT") mark("commit begins");
});

const request = Http2SessionManager.prototype.request;
Http2SessionManager.prototype.request = async function (this: Http2SessionManager, ...call) {
  const path = String(call[2][":path"] ?? call[1]);
  const stream = await request.apply(this, call);
  if (path.endsWith("UpdateJobs")) {
    const write = stream.write.bind(stream) as (...all: unknown[]) => boolean;
    stream.write = (...all: unknown[]) => {
      mark("report leaves");
      return write(...all);
    };
  }
  if (path.endsWith("Sync")) {
    const push = stream.push.bind(stream);
    stream.push = (...chunk) => {
      mark("runner has the assignment");
      return push(...chunk);
    };
  }
  return stream;
};

const { spawn } = childProcess;
childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
  const child: ChildProcess = spawn(...args);
  const { stdin } = child;
  if (stdin !== null) {
    const write = stdin.write.bind(stdin) as (...all: unknown[]) => boolean;
    stdin.write = (...all: unknown[]) => {
      if (String(all[0]).slice(4, 40).includes('"run"')) mark("child gets the order");
      return write(...all);
    };
  }
  child.stdio[3]?.on("data", (data: Buffer) => {
    const text = data.toString();
    if (text.includes('"succeeded"')) mark("child has answered");
    if (text.includes('"ready"')) mark("child is ready again");
  });
  return child;
}) as typeof spawn;
syncBuiltinESMExports();

process.once("exit", () => {
  writeFileSync(process.env["MILLRACE_PROBE"] ?? "", JSON.stringify(marks));
});
