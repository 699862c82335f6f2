import { arch, pid } from "node:process";

import { filterFor } from "./syscall-filter.ts";
import { MACHINES } from "./syscalls.ts";

/** The part of node:ffi, which is experimental, that is needed here. Types: `i64`, as bigint. */
type Ffi = {
  dlopen(
    library: null,
    functions: Readonly<Record<string, { readonly return: string; readonly arguments: string[] }>>,
  ): { readonly functions: Readonly<Record<string, (...args: bigint[]) => bigint>> };
  getRawPointer(buffer: Buffer): bigint;
};

const PR_SET_NO_NEW_PRIVS = 38n;
const SECCOMP_SET_MODE_FILTER = 1n;
/** All threads of the process, those of V8 among them. */
const SECCOMP_FILTER_FLAG_TSYNC = 1n;
const AT_FDCWD = -100n;

export type Lockdown = {
  /**
   * libuv has made rings of io_uring before, and cannot do without them any more; what goes through
   * them is not filtered.
   */
  readonly ring: boolean;
};

/**
 * Gives up the system calls that a child needs no more, for all threads and for good. Needs the
 * right `ffi`, Linux, and a machine that is in the table.
 *
 * @throws if that is not so afterwards
 */
export const lockDown = (): Lockdown => {
  const machine = MACHINES[arch];
  if (machine === undefined) throw new Error(`no system calls are known for ${arch}`);
  // The time zone is in a file: read once, and kept by V8 from here on.
  new Date(0).getTimezoneOffset();

  const ffi = process.getBuiltinModule("node:ffi") as unknown as Ffi;
  const i64 = "i64";
  const { functions } = ffi.dlopen(null, {
    syscall: { return: i64, arguments: [i64, i64, i64, i64, i64, i64] },
  });
  const call = (number: number, ...given: readonly bigint[]): bigint => {
    const args = [0n, 0n, 0n, 0n, 0n].map((zero, index) => given[index] ?? zero);
    return functions["syscall"]?.(BigInt(number), ...args) ?? -1n;
  };

  // struct io_uring_params. Where a ring can be made now, libuv could make its own.
  const parameters = Buffer.alloc(120);
  const made = call(machine.ioUringSetup, 1n, ffi.getRawPointer(parameters));
  const ring = made >= 0n;
  if (ring) call(machine.close, made);

  const filter = filterFor(machine, pid, ring);
  // struct sock_fprog: how many instructions, and where.
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.length / 8, 0);
  program.writeBigUInt64LE(ffi.getRawPointer(filter), 8);
  if (call(machine.prctl, PR_SET_NO_NEW_PRIVS, 1n) !== 0n) {
    throw new Error("new privileges cannot be given up");
  }
  const pointer = ffi.getRawPointer(program);
  const flags = SECCOMP_FILTER_FLAG_TSYNC;
  if (call(machine.seccomp, SECCOMP_SET_MODE_FILTER, flags, pointer) !== 0n) {
    throw new Error("system calls cannot be given up");
  }
  const root = Buffer.from("/\0");
  if (call(machine.openat, AT_FDCWD, ffi.getRawPointer(root)) !== -1n) {
    throw new Error("a directory could be opened although system calls were given up");
  }
  return { ring };
};
