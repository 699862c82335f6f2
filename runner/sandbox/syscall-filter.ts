import type { Machine } from "./syscalls.ts";

/**
 * A program for the kernel's seccomp (man 2 seccomp), in classic BPF: what `machine` lists is
 * refused with EPERM; signals go to the process itself only, also those that the kernel sends for a
 * file; so do limits; new threads may be made, new processes not. Everything else is allowed: V8 and
 * libc must live with it. `ring`: the process has rings of io_uring that it needs.
 */
export const filterFor = (machine: Machine, pid: number, ring: boolean): Buffer => {
  const refused = machine.refused.filter((number) => !ring || number !== machine.ioUringEnter);
  /** Instructions after the list: where `refuse`, `absent`, and the checks are, from its end. */
  const tail = { allow: 0, thread: 1, own: 4, itself: 7, owner: 10, refuse: 17, absent: 18 };
  const head = [
    load(ARCH),
    // Calls of another machine have other numbers: none of them.
    (at: number, end: number) => jump(JEQ, machine.arch, 0, end + tail.refuse - at - 1),
    load(NUMBER),
    // x32 on x64; no number is as high elsewhere.
    (at: number, end: number) => jump(JGE, X32_BIT, end + tail.refuse - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.clone3, end + tail.absent - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.clone, end + tail.thread - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.kill, end + tail.own - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.tgkill, end + tail.own - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.prlimit, end + tail.itself - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.fcntl, end + tail.owner - at - 1, 0),
    (at: number, end: number) => jump(JEQ, machine.ioctl, end + tail.owner - at - 1, 0),
    ...refused.map(
      (number) => (at: number, end: number) => jump(JEQ, number, end + tail.refuse - at - 1, 0),
    ),
  ];
  const end = head.length;
  const steps = [
    ...head.map((step, at) => (typeof step === "function" ? step(at, end) : step)),
    answer(ALLOW),
    load(FIRST_ARGUMENT),
    jump(JSET, CLONE_THREAD, 0, 14),
    answer(ALLOW),
    load(FIRST_ARGUMENT),
    jump(JEQ, pid, 0, 11),
    answer(ALLOW),
    load(FIRST_ARGUMENT),
    jump(JEQ, 0, 0, 8),
    answer(ALLOW),
    load(SECOND_ARGUMENT),
    ...OWNERS.map((command, index) => jump(JEQ, command, OWNERS.length - index, 0)),
    answer(ALLOW),
    answer(ERRNO | EPERM),
    // libc then makes its threads with `clone`, whose flags can be looked at.
    answer(ERRNO | ENOSYS),
  ];
  return Buffer.concat(steps);
};

/** Refuses to make a ring of io_uring, as a kernel without it does, and nothing else. */
export const ringRefusal = (machine: Machine): Buffer =>
  Buffer.concat([
    load(NUMBER),
    jump(JEQ, machine.ioUringSetup, 0, 1),
    answer(ERRNO | ENOSYS),
    answer(ALLOW),
  ]);

/** Offsets in struct seccomp_data. The arguments' low halves: both machines are little endian. */
const NUMBER = 0;
const ARCH = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

/**
 * Commands that say who gets a signal, and which, when there is something to read: of fcntl F_SETOWN,
 * F_SETSIG, F_SETOWN_EX; of ioctl FIOSETOWN, SIOCSPGRP. None of one is one of the other.
 */
const OWNERS = [8, 10, 15, 0x8901, 0x8902] as const;

const LOAD = 0x20;
const JEQ = 0x15;
const JGE = 0x35;
const JSET = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

const X32_BIT = 0x40000000;
const CLONE_THREAD = 0x10000;

/** struct sock_filter. `yes` and `no` are how many instructions to skip. */
const instruction = (code: number, yes: number, no: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(yes, 2);
  bytes.writeUInt8(no, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
};

const load = (offset: number): Buffer => instruction(LOAD, 0, 0, offset);
const jump = (code: number, value: number, yes: number, no: number): Buffer =>
  instruction(code, yes, no, value);
const answer = (value: number): Buffer => instruction(RETURN, 0, 0, value);
