/**
 * The filter of system calls, as a program of classic BPF. Pure.
 *
 * SC1 It blocks calls that have opened holes and that no build needs: namespaces, mounts, keys, io_uring, BPF, modules,
 *     exotic sockets.
 * SC2 It refuses input pushed into a terminal (TIOCSTI, TIOCLINUX). The agent may then stay in the session that signals
 *     reach.
 * SC3 It refuses other instruction sets of the same processor (i386, x32), because their numbers would bypass the
 *     filter.
 */

interface Machine {
  /** AUDIT_ARCH_* of the kernel. */
  audit: number;
  calls: Readonly<Record<string, number>>;
  /** First number of the x32 calls. */
  foreignFrom: number | null;
}

const refusedCalls = [
  "mount",
  "umount2",
  "pivot_root",
  "setns",
  "mount_setattr",
  "open_tree",
  "move_mount",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "keyctl",
  "add_key",
  "request_key",
  "bpf",
  "perf_event_open",
  "userfaultfd",
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "open_by_handle_at",
  "swapon",
  "swapoff",
  "reboot",
  "acct",
  "quotactl",
] as const;

/** Programs fall back from these when the kernel does not know them. */
const unknownCalls = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"] as const;

/** Since these calls, all machines share the numbers of new calls. */
const shared = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  clone3: 435,
  mount_setattr: 442,
};

/** linux/arch/x86/entry/syscalls/syscall_64.tbl and linux/include/uapi/asm-generic/unistd.h. */
const machines: Readonly<Record<string, Machine>> = {
  x64: {
    audit: 0xc000003e,
    foreignFrom: 0x40000000,
    calls: {
      ...shared,
      ioctl: 16,
      socket: 41,
      socketpair: 53,
      clone: 56,
      pivot_root: 155,
      acct: 163,
      mount: 165,
      umount2: 166,
      swapon: 167,
      swapoff: 168,
      reboot: 169,
      init_module: 175,
      delete_module: 176,
      quotactl: 179,
      kexec_load: 246,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      unshare: 272,
      perf_event_open: 298,
      open_by_handle_at: 304,
      setns: 308,
      finit_module: 313,
      kexec_file_load: 320,
      bpf: 321,
      userfaultfd: 323,
    },
  },
  arm64: {
    audit: 0xc00000b7,
    foreignFrom: null,
    calls: {
      ...shared,
      ioctl: 29,
      umount2: 39,
      mount: 40,
      pivot_root: 41,
      quotactl: 60,
      acct: 89,
      unshare: 97,
      kexec_load: 104,
      init_module: 105,
      delete_module: 106,
      reboot: 142,
      socket: 198,
      socketpair: 199,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      clone: 220,
      swapon: 224,
      swapoff: 225,
      perf_event_open: 241,
      open_by_handle_at: 265,
      setns: 268,
      finit_module: 273,
      bpf: 280,
      userfaultfd: 282,
      kexec_file_load: 294,
    },
  },
};

/** linux/include/uapi/linux/{filter,bpf_common,seccomp}.h */
const load = 0x20;
const jumpEqual = 0x15;
const jumpGreaterOrEqual = 0x35;
const jumpAnySet = 0x45;
const answer = 0x06;
const offset = { call: 0, machine: 4 };
/** Lower half of an argument. Both machines are little-endian. */
const argument = (index: number): number => 16 + 8 * index;
const allow = 0x7fff0000;
const refuse = 0x00050000 | 1; // EPERM
const unknown = 0x00050000 | 38; // ENOSYS
const unsupportedFamily = 0x00050000 | 97; // EAFNOSUPPORT

/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}; linux/include/uapi/linux/sched.h. */
const namespaceFlags = 0x7e020000;
/** TIOCSTI and TIOCLINUX; linux/include/uapi/asm-generic/ioctls.h. */
const terminalRequests = [0x5412, 0x541c];
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. The last one lists the interfaces of the own namespace. */
const families = [1, 2, 10, 16];

export interface Instruction {
  code: number;
  whenTrue: number;
  whenFalse: number;
  value: number;
}

/** Null for a processor whose calls are not listed here. */
export function seccompProgram(architecture: string): Instruction[] | null {
  const machine = machines[architecture];
  if (machine === undefined) return null;
  const call = (name: string): number => {
    const number = machine.calls[name];
    if (number === undefined) throw new Error(`No number for ${name} on ${architecture}.`);
    return number;
  };
  return [
    step(load, offset.machine),
    step(jumpEqual, machine.audit, 1, 0),
    step(answer, unknown),
    step(load, offset.call),
    ...(machine.foreignFrom === null
      ? []
      : [step(jumpGreaterOrEqual, machine.foreignFrom, 0, 1), step(answer, unknown)]),
    ...refusedCalls.flatMap((name) => [step(jumpEqual, call(name), 0, 1), step(answer, refuse)]),
    ...unknownCalls.flatMap((name) => [step(jumpEqual, call(name), 0, 1), step(answer, unknown)]),
    ...["clone", "unshare"].flatMap((name) =>
      whenCall(call(name), [step(load, argument(0)), step(jumpAnySet, namespaceFlags, 0, 1), step(answer, refuse)]),
    ),
    ...whenCall(call("ioctl"), [
      step(load, argument(1)),
      ...terminalRequests.flatMap((request) => [step(jumpEqual, request, 0, 1), step(answer, refuse)]),
    ]),
    ...["socket", "socketpair"].flatMap((name) =>
      whenCall(call(name), [
        step(load, argument(0)),
        ...families.flatMap((family) => [step(jumpEqual, family, 0, 1), step(answer, allow)]),
        step(answer, unsupportedFamily),
      ]),
    ),
    step(answer, allow),
  ];
}

/** The argument replaces the call's number, so each block ends with an answer. */
function whenCall(number: number, block: Instruction[]): Instruction[] {
  const whole = [...block, step(answer, allow)];
  return [step(jumpEqual, number, 0, whole.length), ...whole];
}

function step(code: number, value: number, whenTrue = 0, whenFalse = 0): Instruction {
  return { code, value, whenTrue, whenFalse };
}

/** `struct sock_filter[]`, as bubblewrap reads it. */
export function seccompBytes(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, whenTrue, whenFalse, value }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, whenTrue);
    view.setUint8(index * 8 + 3, whenFalse);
    view.setUint32(index * 8 + 4, value, true);
  }
  return bytes;
}
