import { ringRefusal } from "./syscall-filter.ts";
import { MACHINES } from "./syscalls.ts";

/**
 * Commands in front of a program that has no io_uring. libuv makes a ring when Node starts, cannot do
 * without it afterwards, and what goes through a ring passes by the filter of system calls: so it must
 * be refused before Node starts. Many containers refuse it anyway.
 */
export const withoutRing = (
  withProgram: (name: string, args: readonly string[]) => readonly string[] | null,
): readonly (readonly string[] | null)[] => {
  const machine = MACHINES[process.arch];
  const filter = machine === undefined ? null : ringRefusal(machine);
  return [
    // util-linux 2.40 and later.
    withProgram("enosys", ["--syscall", "io_uring_setup", "--"]),
    // PR_SET_NO_NEW_PRIVS, then SECCOMP_SET_MODE_FILTER with a struct sock_fprog; as in lockdown.ts.
    machine === undefined || filter === null
      ? null
      : withProgram("perl", [
          "-e",
          `my $f = pack("H*", "${filter.toString("hex")}");` +
            `my $p = pack("S x6 P", ${filter.length / 8}, $f);` +
            `syscall(${machine.prctl}, 38, 1, 0, 0, 0) == 0 or die;` +
            `syscall(${machine.seccomp}, 1, 0, $p) == 0 or die;` +
            "exec { $ARGV[0] } @ARGV or die;",
          "--",
        ]),
  ];
};
