import { spawn } from "node:child_process";
import { Readable } from "node:stream";

import { createFrameReader, encodeFrame, FRAMES_FD } from "./frames.ts";
import { parseHeard } from "./heard.ts";
import type { Command } from "./launch.ts";
import type { FromChild, ToChild } from "./protocol.ts";

/** Why a child is gone, for our log. Its last words are never shown to a script's owner. */
export type Exit = {
  readonly how: string;
  readonly lastWords: string;
  /** It was killed because it sent what is no frame; `how` quotes it. */
  readonly broken: boolean;
};

/** The parent's end of one child. Everything that comes out of it is checked before it is passed on. */
export type ChildProcessEnd = {
  readonly pid: number;
  /** `taken` is called when the order is in the pipe, or the pipe is broken. */
  send(order: ToChild, taken?: () => void): void;
  /** Frames and the exit go here from now on. The exit comes last, even if it was before. */
  listen(listener: ChildListener): void;
  /** SIGKILL for the whole process group. */
  kill(): void;
  readonly exited: Promise<Exit>;
};

export type ChildListener = {
  readonly heard: (frame: FromChild) => void;
  readonly exited: (exit: Exit) => void;
};

/** The payload of a call, of which each character is three bytes, and room for the rest of the frame. */
const FRAME_LIMIT = 5 * 1024 * 1024;
const LAST_WORDS = 4_096;
/** In its life. Ours has nothing to say there but why it ends. */
const MOST_WORDS = 1024 * 1024;
/** Six of the largest answers of a fetch: who asks for more and takes none fills our memory. */
const MOST_UNREAD = 128 * 1024 * 1024;

/** In one attempt: all that its calls may hold, with each character three bytes, and the rest. */
const MOST_HEARD = 320 * 1024 * 1024;

/** @throws what spawn throws when the system is out of processes or files */
export const spawnChild = (command: Command, directory: string): ChildProcessEnd => {
  const child = spawn(command.file, command.args, {
    cwd: directory,
    env: {},
    // A group of its own, so that one signal reaches whatever a child may have started.
    detached: true,
    // Orders, nothing, last words, frames.
    stdio: ["pipe", "ignore", "pipe", "pipe"],
  });
  // Also when there is nothing else of it, for want of files.
  child.on("error", () => {});
  const { pid, stdin, stderr } = child;
  const frames = child.stdio[FRAMES_FD];
  if (stdin === null || stderr === null || !(frames instanceof Readable)) {
    throw new Error("a child has no pipes");
  }
  let listener: ChildListener = { heard: () => {}, exited: () => {} };
  let lastWords = "";
  let broken: string | null = null;

  const kill = (): void => {
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ESRCH")) throw cause;
    }
  };

  const breakOff = (why: string): void => {
    broken ??= why.slice(0, 500);
    kill();
  };

  let words = 0;
  let heardBytes = 0;
  const count = (bytes: number): void => {
    heardBytes += bytes;
    if (heardBytes > MOST_HEARD) breakOff(`said more than ${MOST_HEARD} bytes`);
  };

  const read = createFrameReader(FRAME_LIMIT, (text) => {
    if (broken === null) listener.heard(parseHeard(text));
  });

  frames.on("data", (chunk: Buffer) => {
    count(chunk.length);
    if (broken !== null) return;
    try {
      read(chunk);
    } catch (cause) {
      breakOff(`sent what it must not: ${String(cause)}`);
    }
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    words += text.length;
    if (words > MOST_WORDS) breakOff(`wrote more than ${MOST_WORDS} characters to stderr`);
    else lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  // A pipe to a dead child breaks; the exit says all there is to say.
  stdin.on("error", () => {});

  let gone: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    const end = (how: string): void => {
      if (gone !== null) return;
      gone = { how: broken ?? how, lastWords, broken: broken !== null };
      resolve(gone);
      listener.exited(gone);
    };
    child.once("error", (cause) => {
      end(cause.message);
    });
    child.once("close", (code, signal) => {
      end(signal === null ? `exit code ${code}` : signal);
    });
  });

  return {
    pid: pid ?? 0,
    send: (order, taken) => {
      stdin.write(encodeFrame(order), taken);
      if (stdin.writableLength > MOST_UNREAD) {
        breakOff(`does not read: ${stdin.writableLength} bytes wait for it`);
      }
    },
    listen: (next) => {
      listener = next;
      heardBytes = 0;
      if (gone !== null) void exited.then(next.exited);
    },
    kill,
    exited,
  };
};
